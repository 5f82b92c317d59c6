import { type FSWatcher, lstatSync, readdirSync, watch } from "node:fs";
import { join, relative } from "node:path";
import type { IgnoreRules } from "../../../build/match/ignore.ts";

export interface Changes {
  /** Absolute paths of files and links that are new or different. */
  changed: string[];
  /** Absolute paths that are gone. */
  removed: string[];
}

/** After an event, until the next look: editors write in several steps. */
export const settle_ms = 80;
const largest = 200_000;

/**
 * The files below a path (or the one file), as they change. The kernel's events only say when to look; what changed comes from comparing the tree with how
 * it was, so that nothing is missed where events are lost or come before a new directory is watched.
 */
export class WatchedTree implements Disposable {
  readonly #root: string;
  readonly #skips: (path: string, isDirectory: boolean) => boolean;
  readonly #onEvent: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #known: Map<string, string>;

  constructor(root: string, skips: (path: string, isDirectory: boolean) => boolean, onEvent: () => void) {
    this.#root = root;
    this.#skips = skips;
    this.#onEvent = onEvent;
    this.#known = this.#scan();
  }

  /** All files that are there now. */
  files(): string[] {
    return [...this.#known.keys()];
  }

  /** What changed since the last call. */
  changes(): Changes {
    const now = this.#scan();
    const before = this.#known;
    this.#known = now;
    return {
      changed: [...now].filter(([path, mark]) => before.get(path) !== mark).map(([path]) => path),
      removed: [...before.keys()].filter(path => !now.has(path)),
    };
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #scan(): Map<string, string> {
    const found = new Map<string, string>();
    const directories = new Set<string>();
    const visit = (path: string): void => {
      const info = lstatSync(path, { throwIfNoEntry: false });
      if (!info || found.size >= largest) return;
      if (path !== this.#root && this.#skips(path, info.isDirectory())) return;
      if (!info.isDirectory()) {
        if (info.isFile() || info.isSymbolicLink())
          found.set(path, `${info.ino} ${info.size} ${info.mtimeMs} ${info.mode}`);
        return;
      }
      directories.add(path);
      this.#watch(path);
      for (const name of list(path)) visit(join(path, name));
    };
    visit(this.#root);
    // A single file is watched through its directory: editors replace files, and a watch of a file ends with it.
    const parent = join(this.#root, "..");
    if (directories.size === 0) this.#watch(parent);
    for (const [path, watcher] of this.#watchers) {
      if (directories.has(path) || (directories.size === 0 && path === parent)) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
    return found;
  }

  #watch(path: string): void {
    if (this.#watchers.has(path)) return;
    try {
      const watcher = watch(path, () => this.#onEvent());
      watcher.on("error", () => this.#onEvent());
      this.#watchers.set(path, watcher);
    } catch (thrown) {
      // Gone since it was listed: its parent tells.
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
    }
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    // Gone, or not ours to read: then there is nothing to bring over.
    return [];
  }
}

/** What a rule leaves out: what is ignored, and with `include` what is not included. Patterns are relative to `root`. */
export function skipper(root: string, ignored: IgnoreRules[], include: IgnoreRules | undefined) {
  return (path: string, isDirectory: boolean): boolean => {
    const name = relative(root, path);
    if (ignored.some(rules => rules.ignores(name) && !(isDirectory && rules.mayTakeBackIn(name)))) return true;
    return include !== undefined && !isDirectory && !include.ignores(name);
  };
}
