import { readFileSync, type Stats } from "node:fs";
import { posix } from "node:path";
import { BerthError } from "../../base/errors.ts";
import { type Resolved, type RootView, resolveInRoot } from "../tree/resolve.ts";
import { compareNames } from "../tree/walk.ts";
import type { LayerEntry } from "./layer-entry.ts";
import type { AccountFiles, Owner } from "./owner.ts";

/** Modes that everybody expects of directories made without knowing the root below (COPY --link). */
const wellKnownModes: Record<string, number> = { tmp: 0o1777, "var/tmp": 0o1777, root: 0o700 };

export interface LayerPlanOptions {
  /** The root that the layer goes onto; the empty view for scratch and for layers that stand alone. */
  view: RootView;
  /** The root whose users and groups count; also where the layer itself does not look at it (COPY --link). */
  accountsView: RootView;
  /** Where `accountsView` lies; absent where there is nothing. */
  rootPath?: string;
  /** For directories that come into being. */
  now_s: number;
}

/** What lies at a path, new entries over the root below; enough of Stats for resolving and deciding. */
function statOf(entry: LayerEntry): Stats {
  const is = (type: LayerEntry["type"]) => () => entry.type === type;
  return {
    isSymbolicLink: is("symlink"),
    isDirectory: is("directory"),
    isFile: () => entry.type === "file" || entry.type === "hardlink",
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtimeMs: entry.mtime_s * 1000,
    // Only what the callers of this view look at.
  } as unknown as Stats;
}

/**
 * A layer put together in memory before a byte is written: paths resolved through the links of the root below and of the layer itself,
 * parents that exist keep their owner and mode (a layer that leaves them out would reset them), new ones are made.
 */
export class LayerPlan {
  readonly #entries = new Map<string, LayerEntry>();
  readonly #options: LayerPlanOptions;
  readonly #view: RootView;

  constructor(options: LayerPlanOptions) {
    this.#options = options;
    const { view } = options;
    this.#view = {
      lstat: path => {
        const entry = this.#entries.get(path);
        return entry ? statOf(entry) : view.lstat(path);
      },
      readlink: path => this.#entries.get(path)?.linkName ?? view.readlink(path),
    };
  }

  accounts(): AccountFiles {
    const { accountsView, rootPath } = this.#options;
    const read = (path: string) => () => {
      const { path: real, stat } = resolveInRoot(accountsView, path);
      return stat?.isFile() && rootPath !== undefined ? readFileSync(`${rootPath}/${real}`, "utf8") : undefined;
    };
    return { passwd: read("etc/passwd"), group: read("etc/group") };
  }

  resolve(path: string, options: { keepLast?: boolean } = {}): Resolved {
    return resolveInRoot(this.#view, path, options);
  }

  /** Makes `path` and its parents a directory, following links; returns where it really is. What is missing gets `owner` and 0755. */
  directory(path: string, owner: Owner = { uid: 0, gid: 0 }): string {
    const { path: real, stat } = this.resolve(path);
    if (stat && !stat.isDirectory()) {
      throw new BerthError("conflict", `/${real} must be a directory, and the image has a file there`, {
        hint: "choose another destination, or remove the file in a RUN before",
      });
    }
    if (real === "") return real;
    this.directory(posix.dirname(real) === "." ? "" : posix.dirname(real), owner);
    if (this.#entries.has(real)) return real;
    const { now_s } = this.#options;
    this.#entries.set(
      real,
      stat
        ? {
            path: real,
            type: "directory",
            mode: stat.mode & 0o7777,
            uid: stat.uid,
            gid: stat.gid,
            mtime_s: Math.floor(stat.mtimeMs / 1000),
          }
        : { path: real, type: "directory", mode: wellKnownModes[real] ?? 0o755, ...owner, mtime_s: now_s },
    );
    return real;
  }

  /** Puts an entry in place of whatever is there. Its directory must have been made. */
  put(entry: LayerEntry): void {
    const stat = this.#view.lstat(entry.path);
    if (stat?.isDirectory() && entry.type !== "directory") {
      throw new BerthError("conflict", `/${entry.path} is a directory in the image, and a file would replace it`);
    }
    if (stat && !stat.isDirectory() && entry.type === "directory" && !this.#entries.has(entry.path)) {
      throw new BerthError("conflict", `/${entry.path} is a file in the image, and a directory would replace it`);
    }
    this.#entries.set(entry.path, entry);
  }

  /** What the layer has at a path so far. */
  entry(path: string): LayerEntry | undefined {
    return this.#entries.get(path);
  }

  /** Sorted, parents first; of files with one identity all but the first become hard links. */
  finish(): LayerEntry[] {
    const first = new Map<string, string>();
    return [...this.#entries.values()]
      .sort((a, b) => compareNames(a.path, b.path))
      .map(entry => {
        if (entry.identity === undefined || entry.type !== "file") return entry;
        const target = first.get(entry.identity);
        if (target === undefined) {
          first.set(entry.identity, entry.path);
          return entry;
        }
        return { ...entry, type: "hardlink", content: undefined, linkName: target };
      });
  }
}
