import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, type Stats } from "node:fs";

const chunk_bytes = 1 << 20;
/** A file changed this recently may change again with the same times: its digest is not kept (git calls this racily clean). */
const settled_ms = 100;

type Known = [inode: number, size: number, ctime_ms: number, mtime_ms: number, digest: string];

/** sha256 of a file's content, read in one go on this thread: the kernel's cache is faster than a trip through the thread pool. */
export function hashFile(path: string): string {
  const hash = createHash("sha256");
  const fd = openSync(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(chunk_bytes);
    for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer)) hash.update(buffer.subarray(0, read));
  } finally {
    closeSync(fd);
  }
  return hash.digest("hex");
}

/**
 * Digests of files, remembered by inode, size and times, so that a build with nothing new reads no file at all.
 * Only a file whose change time is unchanged is believed; a touched one is read again, and found equal.
 */
export class FileDigests {
  readonly #known: Map<string, Known>;
  readonly #used = new Map<string, Known>();
  readonly #now_ms: () => number;
  #added = false;

  constructor(now_ms: () => number, stored?: string) {
    this.#now_ms = now_ms;
    this.#known = stored === undefined ? new Map() : parseStored(stored);
  }

  digest(path: string, stat: Stats): string {
    const known = this.#known.get(path);
    if (
      known &&
      known[0] === stat.ino &&
      known[1] === stat.size &&
      known[2] === stat.ctimeMs &&
      known[3] === stat.mtimeMs
    ) {
      this.#used.set(path, known);
      return known[4];
    }
    const digest = hashFile(path);
    if (this.#now_ms() - stat.ctimeMs > settled_ms) {
      this.#used.set(path, [stat.ino, stat.size, stat.ctimeMs, stat.mtimeMs, digest]);
      this.#added = true;
    }
    return digest;
  }

  /** What to store for the next build; undefined when nothing was learnt. Files not asked for are kept: another target may need them. */
  toStore(): string | undefined {
    if (!this.#added) return undefined;
    return JSON.stringify([...new Map([...this.#known, ...this.#used])].slice(-500_000));
  }
}

/** A file that cannot be read is no loss: everything is hashed again. */
function parseStored(text: string): Map<string, Known> {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? new Map(list as [string, Known][]) : new Map();
  } catch {
    return new Map();
  }
}
