import { closeSync, constants } from "node:fs";
import { BerthError } from "../../base/errors.ts";
import { type ByteString, toText } from "../../image/layer/tar-entry.ts";
import { makeDirectoryAt, O_PATH, openAt, openInRoot } from "../linux/at.ts";
import { SystemError } from "../linux/libc.ts";
import { parentOf } from "./lower-view.ts";

/** Archives come directory by directory, so a few open ones save nearly all path walks. */
const limit = 64;

const directoryFlags = O_PATH | constants.O_DIRECTORY;

/** Open directories below one root. Links on the way are resolved as inside a chroot: the kernel itself keeps them from leading out (openat2, RESOLVE_IN_ROOT). */
export class DirectoryHandles {
  readonly #root: number;
  readonly #onImplicit: (path: ByteString) => void;
  readonly #handles = new Map<ByteString, number>();

  /** `onImplicit` hears of each directory that had to be made because a member lies in it. */
  constructor(root: number, onImplicit: (path: ByteString) => void) {
    this.#root = root;
    this.#onImplicit = onImplicit;
  }

  /** Descriptor of a directory, which is made where it is missing. It is valid until many other directories have been asked for. */
  get(path: ByteString): number {
    return this.find(path) ?? this.#make(path);
  }

  find(path: ByteString): number | undefined {
    if (path === "") return this.#root;
    const known = this.#handles.get(path);
    if (known !== undefined) {
      this.#handles.delete(path);
      this.#handles.set(path, known);
      return known;
    }
    try {
      return this.#keep(path, openInRoot(this.#root, path, directoryFlags));
    } catch (thrown) {
      if (thrown instanceof SystemError && thrown.code === "ENOENT") return undefined;
      throw thrown;
    }
  }

  isDirectory(parent: number, name: ByteString): boolean {
    try {
      closeSync(openAt(parent, name, directoryFlags | constants.O_NOFOLLOW));
      return true;
    } catch (thrown) {
      if (thrown instanceof SystemError && (thrown.code === "ENOTDIR" || thrown.code === "ELOOP")) return false;
      throw thrown;
    }
  }

  /** After what was at `path` has been removed. */
  forgetBelow(path: ByteString): void {
    for (const [key, fd] of this.#handles) {
      if (key !== path && !key.startsWith(`${path}/`)) continue;
      closeSync(fd);
      this.#handles.delete(key);
    }
  }

  close(): void {
    for (const fd of this.#handles.values()) closeSync(fd);
    this.#handles.clear();
  }

  #make(path: ByteString): number {
    const parent = this.get(parentOf(path));
    const name = path.slice(path.lastIndexOf("/") + 1);
    try {
      makeDirectoryAt(parent, name, 0o755);
    } catch (thrown) {
      if (!(thrown instanceof SystemError) || thrown.code !== "EEXIST") throw thrown;
      // Something is there that could not be opened: a link to what this layer has not.
      throw new BerthError("invalid", `unpack a layer: ${toText(path)} is a link that leads to nothing in the layer`, {
        cause: thrown,
      });
    }
    this.#onImplicit(path);
    return this.#keep(path, openInRoot(this.#root, path, directoryFlags));
  }

  #keep(path: ByteString, fd: number): number {
    if (this.#handles.size >= limit) {
      const [oldest, handle] = this.#handles.entries().next().value!;
      closeSync(handle);
      this.#handles.delete(oldest);
    }
    this.#handles.set(path, fd);
    return fd;
  }
}
