import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";

/**
 * Where the layer store keeps what, below `<root>/overlay`:
 *
 *     layers/<chain>/diff        what the layer holds; overlayfs whiteouts and opaque marks inside
 *     layers/<chain>/layer.json  LayerRecord
 *     l/<n>                      -> ../layers/<chain>/diff: short names, since all lower directories of a mount share one page of options
 *     roots/<id>/{upper,work,merged}, roots/<id>/lower -> ../../l/<n> of the topmost layer
 *     work/<owner>/              one for each running process, held by a lock: unpacking layers, views; whoever finds it unlocked removes it
 *     trash/                     renamed away, being deleted
 *     locks/<chain>, store.lock  one unpacks a layer at a time; roots are made under a shared, layers removed under an exclusive store lock
 */
export class StoreLayout {
  readonly base: string;
  readonly layers: string;
  readonly links: string;
  readonly roots: string;
  readonly work: string;
  readonly trash: string;
  readonly locks: string;
  readonly storeLock: string;

  /** `root` is the engine's data directory. */
  constructor(root: string) {
    if (/[:,\\\n]/.test(root)) {
      throw new BerthError("invalid", `keep layers below ${JSON.stringify(root)}: overlayfs options cannot hold it`, {
        hint: "choose a data directory with no colon, comma or backslash in its path",
      });
    }
    this.base = join(root, "overlay");
    this.layers = join(this.base, "layers");
    this.links = join(this.base, "l");
    this.roots = join(this.base, "roots");
    this.work = join(this.base, "work");
    this.trash = join(this.base, "trash");
    this.locks = join(this.base, "locks");
    this.storeLock = join(this.base, "store.lock");
  }

  /** Idempotent. Nobody but root may look in: layers hold setuid programs of any version. */
  make(): void {
    mkdirSync(this.base, { recursive: true, mode: 0o700 });
    for (const folder of [this.layers, this.links, this.roots, this.work, this.trash, this.locks]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
  }

  layer(chainId: string): string {
    return join(this.layers, hexOf(chainId));
  }

  diff(chainId: string): string {
    return join(this.layer(chainId), "diff");
  }

  layerLock(chainId: string): string {
    return join(this.locks, hexOf(chainId));
  }

  /** Throws `invalid` for an id that is no plain name. */
  rootOf(id: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$/.test(id)) {
      throw new BerthError("invalid", `use ${JSON.stringify(id)} as the id of a root: it must be a plain name`);
    }
    return join(this.roots, id);
  }
}

export function hexOf(digest: string): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(digest);
  if (match === null) throw new BerthError("invalid", `find a layer: ${JSON.stringify(digest)} is no sha256 digest`);
  return match[1]!;
}
