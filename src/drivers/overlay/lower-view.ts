import { lstatSync, type Stats } from "node:fs";
import type { ByteString } from "../../image/layer/tar-entry.ts";
import { xattrOfPath } from "../linux/xattr-bytes.ts";

export const opaqueXattr = "trusted.overlay.opaque";

/** Paths remembered at once; beyond it the memory is given back and found again. */
const cacheLimit = 100_000;

export const isWhiteout = (stats: { isCharacterDevice(): boolean; rdev: number }): boolean =>
  stats.isCharacterDevice() && stats.rdev === 0;

export function bytePath(directory: string, path: ByteString): Buffer {
  const base = Buffer.from(directory, "utf8");
  return path === "" ? base : Buffer.concat([base, Buffer.from(`/${path}`, "latin1")]);
}

export function isOpaque(path: Buffer): boolean {
  return xattrOfPath(path, opaqueXattr)?.toString() === "y";
}

/**
 * What a stack of unpacked layers shows at a path, found as overlayfs finds it (kernel documentation, filesystems/overlayfs, "whiteouts and opaque directories"),
 * without mounting it. Only directories are walked through, so a link in a layer leads nowhere.
 */
export class LowerView {
  readonly #highestFirst: string[];
  readonly #visible = new Map<ByteString, string[]>();

  /** `layers` are the directories of the stack, lowest first. */
  constructor(layers: readonly string[]) {
    this.#highestFirst = layers.toReversed();
  }

  /** The entry that shows at `path`, and in which layer; undefined where there is none. */
  find(path: ByteString): { layer: string; stats: Stats } | undefined {
    const layers = path === "" ? this.#highestFirst : this.#directoriesAt(parentOf(path));
    for (const layer of layers) {
      const stats = lstatSync(bytePath(layer, path), { throwIfNoEntry: false });
      if (stats !== undefined) return isWhiteout(stats) ? undefined : { layer, stats };
    }
    return undefined;
  }

  /** The directories of the layers that are merged at `path`, highest first; none where no directory shows. */
  directoriesAt(path: ByteString): Buffer[] {
    return this.#directoriesAt(path).map(layer => bytePath(layer, path));
  }

  #directoriesAt(path: ByteString): string[] {
    if (path === "") return this.#highestFirst;
    const known = this.#visible.get(path);
    if (known !== undefined) return known;
    const found: string[] = [];
    for (const layer of this.#directoriesAt(parentOf(path))) {
      const at = bytePath(layer, path);
      const stats = lstatSync(at, { throwIfNoEntry: false });
      if (stats === undefined) continue;
      if (!stats.isDirectory()) break;
      found.push(layer);
      if (isOpaque(at)) break;
    }
    if (this.#visible.size >= cacheLimit) this.#visible.clear();
    this.#visible.set(path, found);
    return found;
  }
}

export function parentOf(path: ByteString): ByteString {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
