import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { WritableRoot } from "../../ports/layers.ts";
import { unmountIfMounted } from "../linux/mount.ts";
import type { LayerRecord, LayerRecords } from "./layer-records.ts";
import { isSystem } from "./layer-writer.ts";
import { isMounted, mountOverlay } from "./overlay-mount.ts";
import type { StoreLayout } from "./store-layout.ts";
import type { WorkArea } from "./work-area.ts";

/** overlayfs wants at least one lower directory: a root over no layers stands on an empty one of its own. */
const emptyLower = "empty";

/** Writable roots: each a directory with its upper, and a link to the topmost layer that it stands on. */
export class Roots {
  readonly #layout: StoreLayout;
  readonly #records: LayerRecords;
  readonly #work: WorkArea;

  constructor(layout: StoreLayout, records: LayerRecords, work: WorkArea) {
    this.#layout = layout;
    this.#records = records;
    this.#work = work;
  }

  /** Throws `already_exists`. The caller holds the store lock, shared. */
  async create(id: string, stack: LayerRecord[]): Promise<WritableRoot> {
    const target = this.#layout.rootOf(id);
    const taken = () => new BerthError("already_exists", `make root ${id}: there is one already`);
    if (existsSync(target)) throw taken();
    const directory = await this.#work.makeDirectory("root");
    try {
      this.#fill(directory, stack);
      renameSync(directory, target);
    } catch (thrown) {
      this.#work.discard(directory);
      throw isSystem(thrown, "EEXIST", "ENOTEMPTY") ? taken() : thrown;
    }
    try {
      return this.mount(id);
    } catch (thrown) {
      this.remove(id);
      throw thrown;
    }
  }

  #fill(directory: string, stack: LayerRecord[]): void {
    const upper = join(directory, "upper");
    for (const name of ["upper", "work", "merged"]) mkdirSync(join(directory, name), { mode: 0o755 });
    const top = stack.at(-1);
    if (top === undefined) {
      mkdirSync(join(directory, emptyLower));
      return;
    }
    symlinkSync(`../../l/${top.link}`, join(directory, "lower"));
    // The upper directory is what shows as "/", so it must look as the image has it.
    const { mode, uid, gid } = statSync(this.#layout.diff(top.chainId));
    chownSync(upper, uid, gid);
    chmodSync(upper, mode & 0o7777);
  }

  /** Idempotent. */
  mount(id: string): WritableRoot {
    const directory = this.#need(id);
    const root = this.#paths(id, directory);
    if (isMounted(root.mergedPath)) return root;
    const stack = this.stack(id);
    mountOverlay({
      links: this.#layout.links,
      layers: stack.length === 0 ? [join(directory, emptyLower)] : stack.map(record => record.link),
      writable: { upper: root.upperPath, work: join(directory, "work") },
      target: root.mergedPath,
    });
    return root;
  }

  /** Also where there is no such root: whoever takes down a container must get on although its root is lost. */
  unmount(id: string): void {
    unmountIfMounted(join(this.#layout.rootOf(id), "merged"));
  }

  /** Idempotent: gone when it returns, deleted a little later. */
  remove(id: string): void {
    const directory = this.#layout.rootOf(id);
    unmountIfMounted(join(directory, "merged"));
    this.#work.discard(directory);
  }

  list(): string[] {
    return readdirSync(this.#layout.roots);
  }

  paths(id: string): WritableRoot {
    return this.#paths(id, this.#need(id));
  }

  /** What the root stands on, lowest first. */
  stack(id: string): LayerRecord[] {
    const chainId = this.topChain(id);
    return chainId === undefined ? [] : this.#records.stackOf(chainId);
  }

  /** Chain id of the topmost layer below the root; undefined for none. */
  topChain(id: string): string | undefined {
    try {
      const link = readlinkSync(join(this.#layout.rootOf(id), "lower"));
      return this.#records.chainOfLink(link.slice(link.lastIndexOf("/") + 1));
    } catch (thrown) {
      if (isSystem(thrown, "ENOENT")) return undefined;
      throw thrown;
    }
  }

  #paths(id: string, directory: string): WritableRoot {
    return { id, mergedPath: join(directory, "merged"), upperPath: join(directory, "upper") };
  }

  #need(id: string): string {
    const directory = this.#layout.rootOf(id);
    if (existsSync(directory)) return directory;
    throw new BerthError("not_found", `use root ${id}: there is none`, {
      hint: "its container was removed, or made under another data directory",
    });
  }
}
