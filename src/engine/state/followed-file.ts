import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

/** Older parts kept open for a slow reader, so that it loses nothing although they are deleted; beyond that the oldest unread is dropped. */
const heldParts = 64;
const chunk_bytes = 256 * 1024;

interface Part {
  fd: number;
  ino: number;
  offset: number;
}

/**
 * Reads a file that others append to and that is renamed away (name -> name.1 -> name.2 …) when it has grown. `notice` takes up new parts as soon as they
 * appear, `read` gives the bytes in order. Synchronous: reads come from the page cache.
 */
export class FollowedFile implements Disposable {
  readonly #path: string;
  readonly #parts: Part[] = [];
  #newest = -1;
  /** Parts that could not be read any more because the reader was too slow. */
  lost = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Starts at `offset` of the part `name.<age>` (0 is the present one); the later parts follow. False when it is not there. */
  startAt(age: number, offset: number): boolean {
    const part = this.#open(age);
    if (part === undefined) return false;
    part.offset = offset;
    this.#push(part);
    return true;
  }

  /** Takes up parts that have appeared since. */
  notice(): void {
    const present = this.#inode(0);
    if (present === undefined || present === this.#newest) return;
    const fresh: Part[] = [];
    for (let age = 0; age <= heldParts; age++) {
      const part = this.#open(age);
      if (part === undefined) {
        if (this.#newest !== -1) this.lost++;
        break;
      }
      if (part.ino === this.#newest) {
        closeSync(part.fd);
        break;
      }
      fresh.unshift(part);
      if (this.#newest === -1) break;
    }
    for (const part of fresh) this.#push(part);
  }

  /** The next bytes, undefined when there are none now. `boundary` says that they begin a new part. */
  read(): { data: Buffer; boundary: boolean } | undefined {
    for (;;) {
      const part = this.#parts[0];
      if (part === undefined) return undefined;
      const buffer = Buffer.allocUnsafe(chunk_bytes);
      const count = readSync(part.fd, buffer, 0, buffer.length, part.offset);
      if (count > 0) {
        const boundary = part.offset === 0;
        part.offset += count;
        return { data: buffer.subarray(0, count), boundary };
      }
      if (this.#parts.length === 1) return undefined;
      closeSync(part.fd);
      this.#parts.shift();
    }
  }

  [Symbol.dispose](): void {
    for (const part of this.#parts.splice(0)) closeSync(part.fd);
  }

  #push(part: Part): void {
    this.#parts.push(part);
    this.#newest = part.ino;
    if (this.#parts.length > heldParts) {
      closeSync(this.#parts.shift()!.fd);
      this.lost++;
    }
  }

  #name(age: number): string {
    return age === 0 ? this.#path : `${this.#path}.${age}`;
  }

  #inode(age: number): number | undefined {
    return statSync(this.#name(age), { throwIfNoEntry: false })?.ino;
  }

  #open(age: number): Part | undefined {
    try {
      const fd = openSync(this.#name(age), "r");
      return { fd, ino: fstatSync(fd).ino, offset: 0 };
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw thrown;
    }
  }
}
