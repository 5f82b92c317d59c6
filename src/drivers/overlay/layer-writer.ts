import { closeSync, constants, fchmodSync, fchownSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { BerthError } from "../../base/errors.ts";
import type { LayerBounds } from "../../image/layer/layer-limits.ts";
import { type LayerPath, layerPath, markerOf } from "../../image/layer/layer-path.ts";
import { type ByteString, type TarEntry, type TarSink, toText } from "../../image/layer/tar-entry.ts";
import {
  chmodAt,
  chownAt,
  linkAt,
  makeDirectoryAt,
  makeNodeAt,
  openAt,
  removeTreeAt,
  setTimes,
  setTimesAt,
  symlinkAt,
} from "../linux/at.ts";
import { DirectoryHandles } from "./directory-handles.ts";
import type { LayerRemarks } from "./finish-layer.ts";
import { applyXattrs } from "./layer-xattrs.ts";

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const lastId = 0xfffffffe;

/**
 * Writes the members of a layer tar into a directory, with system calls relative to open directories: no name and no link, planted by this layer or another,
 * leads a write out of it. What can only be done at the end (directories' times and modes, whiteouts, which hold for lower layers in whatever order they come) is
 * gathered in `remarks` for `finishLayer`.
 */
export class LayerWriter implements TarSink {
  readonly remarks: LayerRemarks = {
    directories: new Map(),
    implicit: new Set(),
    whiteouts: new Set(),
    opaque: new Set(),
  };
  readonly #bounds: LayerBounds;
  readonly #root: number;
  readonly #handles: DirectoryHandles;
  #open: { fd: number; entry: TarEntry; end: number } | undefined;
  #size_bytes = 0;

  constructor(directory: string, bounds: LayerBounds) {
    this.#bounds = bounds;
    this.#root = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    this.#handles = new DirectoryHandles(this.#root, path => this.remarks.implicit.add(path));
    this.remarks.implicit.add("");
  }

  /** Sizes of the files written. */
  get size_bytes(): number {
    return this.#size_bytes;
  }

  entry(entry: TarEntry): void {
    this.#bounds.addEntry(entry.size);
    if (entry.uid < 0 || entry.uid > lastId || entry.gid < 0 || entry.gid > lastId) {
      throw new BerthError("invalid", `unpack ${toText(entry.path)}: no owner can be ${entry.uid}:${entry.gid}`);
    }
    const place = layerPath(entry.path);
    const marker = markerOf(place);
    if (marker?.kind === "whiteout") this.remarks.whiteouts.add(marker.path);
    else if (marker?.kind === "opaque") this.remarks.opaque.add(marker.path);
    else if (marker === undefined) explain(entry, () => this.#write(entry, place));
  }

  data(chunk: Buffer, offset: number): void {
    const open = this.#open;
    if (open === undefined) return;
    explain(open.entry, () => {
      for (let done = 0; done < chunk.length; ) {
        done += writeSync(open.fd, chunk, done, chunk.length - done, offset + done);
      }
    });
    open.end = offset + chunk.length;
  }

  end(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { fd, entry } = open;
    try {
      explain(entry, () => {
        if (open.end < entry.size) ftruncateSync(fd, entry.size);
        if (entry.uid !== 0 || entry.gid !== 0) fchownSync(fd, entry.uid, entry.gid);
        fchmodSync(fd, entry.mode);
        applyXattrs(fd, entry.xattrs);
        setTimes(fd, entry.mtime);
      });
    } finally {
      closeSync(fd);
    }
  }

  /** Gives descriptors back; the directory stays. */
  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
    this.#handles.close();
    closeSync(this.#root);
  }

  #write(entry: TarEntry, place: LayerPath): void {
    if (place.path === "") {
      if (entry.type !== "directory") throw new BerthError("invalid", "unpack a layer: its root is no directory");
      this.#remember(entry, "");
      return;
    }
    const parent = this.#handles.get(place.parent);
    switch (entry.type) {
      case "file":
        this.#size_bytes += entry.size;
        this.#open = {
          fd: this.#replacing(parent, place, () => openAt(parent, place.name, createFlags, 0o600)),
          entry,
          end: 0,
        };
        return;
      case "directory":
        this.#directory(parent, place);
        this.#remember(entry, place.path);
        return;
      case "hardlink":
        this.#hardlink(entry, place);
        return;
      case "symlink":
        this.#replacing(parent, place, () => symlinkAt(entry.link, parent, place.name));
        break;
      default:
        this.#node(entry, parent, place);
        chmodAfterOwner(parent, place.name, entry);
        setTimesAt(parent, place.name, entry.mtime);
        return;
    }
    if (entry.uid !== 0 || entry.gid !== 0) chownAt(parent, place.name, entry.uid, entry.gid);
    setTimesAt(parent, place.name, entry.mtime);
  }

  #remember(entry: TarEntry, path: ByteString): void {
    const { mode, uid, gid, mtime, xattrs } = entry;
    this.remarks.directories.set(path, { mode, uid, gid, mtime, xattrs });
    this.remarks.implicit.delete(path);
  }

  #directory(parent: number, place: LayerPath): void {
    try {
      makeDirectoryAt(parent, place.name, 0o755);
    } catch (thrown) {
      if (!isSystem(thrown, "EEXIST")) throw thrown;
      if (this.#handles.isDirectory(parent, place.name)) return;
      this.#replacing(parent, place, () => makeDirectoryAt(parent, place.name, 0o755));
    }
  }

  #hardlink(entry: TarEntry, place: LayerPath): void {
    const target = layerPath(entry.link);
    if (target.path === place.path) return;
    const missing = (cause?: unknown) =>
      new BerthError(
        "invalid",
        `unpack ${toText(entry.path)}: it is a hard link to ${toText(entry.link)}, which this layer has not (before it)`,
        { cause, hint: "the layer is damaged; build or fetch it again" },
      );
    const from = this.#handles.find(target.parent);
    if (from === undefined) throw missing();
    // Its parent is open already, and what was used last is pushed out last: `from` stays valid.
    const to = this.#handles.get(place.parent);
    try {
      this.#replacing(to, place, () => linkAt(from, target.name, to, place.name));
    } catch (thrown) {
      throw isSystem(thrown, "ENOENT", "EPERM") ? missing(thrown) : thrown;
    }
  }

  #node(entry: TarEntry, parent: number, place: LayerPath): void {
    if (entry.type === "char" && entry.major === 0 && entry.minor === 0) {
      throw new BerthError("invalid", `unpack ${toText(entry.path)}: to overlayfs the device 0:0 means "deleted"`, {
        hint: "layers say so with a .wh. file; this one was not made by an image builder",
      });
    }
    const type = entry.type === "char" || entry.type === "block" ? entry.type : "fifo";
    this.#replacing(parent, place, () => makeNodeAt(parent, place.name, type, entry));
  }

  /** Makes something in the place of whatever is there: a later member wins, as in every tar. */
  #replacing<T>(parent: number, place: LayerPath, make: () => T): T {
    try {
      return make();
    } catch (thrown) {
      if (!isSystem(thrown, "EEXIST")) throw thrown;
    }
    removeTreeAt(parent, place.name);
    this.#handles.forgetBelow(place.path);
    return make();
  }
}

function chmodAfterOwner(parent: number, name: string, entry: TarEntry): void {
  if (entry.uid !== 0 || entry.gid !== 0) chownAt(parent, name, entry.uid, entry.gid);
  chmodAt(parent, name, entry.mode);
}

export function isSystem(thrown: unknown, ...codes: string[]): boolean {
  return thrown instanceof Error && codes.includes((thrown as NodeJS.ErrnoException).code ?? "");
}

/** Turns refusals of the kernel that the member itself is to blame for into words about it. */
function explain(entry: TarEntry, work: () => void): void {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof BerthError) throw thrown;
    const path = toText(entry.path);
    if (isSystem(thrown, "ENOSPC", "EDQUOT")) {
      throw new BerthError("exhausted", `unpack ${path}: no space left`, {
        cause: thrown,
        hint: "free space with 'berth system prune', or move Berth's data with --root",
      });
    }
    const isItsFault = isSystem(
      thrown,
      "ENOTDIR",
      "ELOOP",
      "ENAMETOOLONG",
      "EINVAL",
      "ENOENT",
      "EEXIST",
      "EISDIR",
      "EXDEV",
      "EFBIG",
    );
    throw new BerthError(isItsFault ? "invalid" : "internal", `unpack ${path}: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  }
}
