import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { BerthError } from "../../base/errors.ts";
import { opaqueName, whiteoutPrefix } from "../../image/layer/layer-path.ts";
import { encodeEntry, tarEnd, tarPadding } from "../../image/layer/tar-encode.ts";
import { type ByteString, fromBytes, type TarEntry, toText } from "../../image/layer/tar-entry.ts";
import { xattrsOfPath } from "../linux/xattr-bytes.ts";
import { isSystem } from "./layer-writer.ts";
import { isLayerXattr } from "./layer-xattrs.ts";
import { bytePath, type LowerView, parentOf } from "./lower-view.ts";
import { timeOf, type UpperMember, walkUpper } from "./upper-walk.ts";

export interface LayerTarOptions {
  /** Seconds; later modification times become this (reproducible-builds.org, SOURCE_DATE_EPOCH). */
  sourceDateEpoch?: number;
  signal?: AbortSignal;
}

const chunk_bytes = 256 << 10;
const plain = { link: "", mode: 0, uid: 0, gid: 0, size: 0, major: 0, minor: 0, xattrs: new Map<string, Buffer>() };

/**
 * The content of an upper directory as a layer (OCI image-spec, layer.md): sorted, whole seconds, hard links kept, overlayfs's marks as whiteout files. The same tree gives the same
 * bytes. Sockets are left out, since a tar has none.
 */
export async function* layerTar(
  upper: string,
  below: LowerView,
  options: LayerTarOptions = {},
): AsyncGenerator<Buffer> {
  const chunks: Buffer[] = [];
  let waiting_bytes = 0;
  for (const piece of members(upper, below, options)) {
    chunks.push(piece);
    waiting_bytes += piece.length;
    if (waiting_bytes < chunk_bytes) continue;
    options.signal?.throwIfAborted();
    yield Buffer.concat(chunks.splice(0));
    waiting_bytes = 0;
  }
  yield Buffer.concat([...chunks, tarEnd]);
}

function* members(upper: string, below: LowerView, { sourceDateEpoch }: LayerTarOptions): Generator<Buffer> {
  const firstNames = new Map<string, ByteString>();
  const clamp = (entry: TarEntry) => {
    if (sourceDateEpoch !== undefined && entry.mtime.seconds > sourceDateEpoch) entry.mtime.seconds = sourceDateEpoch;
    return encodeEntry(entry);
  };
  const root = lstatSync(upper, { bigint: true });
  if (rootDiffers(root, below)) yield clamp(entryOf(upper, "", root, undefined));
  for (const member of walkUpper(upper, below)) {
    const { path, stats } = member;
    if (member.kind === "whiteout") {
      yield encodeEntry(marker(beside(path, whiteoutPrefix + path.slice(path.lastIndexOf("/") + 1))));
      continue;
    }
    if (stats.isSocket()) continue;
    yield* inode(upper, member, firstNames, clamp);
    if (member.isOpaque) yield encodeEntry(marker(`${path}/${opaqueName}`));
  }
}

function* inode(
  upper: string,
  { path, stats }: UpperMember,
  firstNames: Map<string, ByteString>,
  encode: (entry: TarEntry) => Buffer,
): Generator<Buffer> {
  const key = `${stats.dev}:${stats.ino}`;
  const first = stats.nlink > 1n && !stats.isDirectory() ? firstNames.get(key) : undefined;
  let entry: TarEntry;
  try {
    entry = entryOf(upper, path, stats, first);
  } catch (thrown) {
    // Removed by the running container since it was listed.
    if (isSystem(thrown, "ENOENT")) return;
    throw thrown;
  }
  if (stats.nlink > 1n && first === undefined) firstNames.set(key, path);
  if (entry.type !== "file") yield encode(entry);
  else yield* file(bytePath(upper, path), entry, encode);
}

function* file(at: Buffer, entry: TarEntry, encode: (entry: TarEntry) => Buffer): Generator<Buffer> {
  let fd: number;
  try {
    fd = openSync(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    if (isSystem(thrown, "ENOENT", "ELOOP", "ENXIO")) return;
    throw thrown;
  }
  try {
    const size = fstatSync(fd).size;
    yield encode({ ...entry, size });
    for (let done = 0; done < size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(chunk_bytes, size - done));
      const length = readSync(fd, buffer, 0, buffer.length, done);
      if (length === 0) {
        throw new BerthError("conflict", `read ${toText(entry.path)}: it became shorter meanwhile`, {
          hint: "pause the container, then try again",
          retryable: true,
        });
      }
      done += length;
      yield buffer.subarray(0, length);
    }
    yield tarPadding(size);
  } finally {
    closeSync(fd);
  }
}

function entryOf(upper: string, path: ByteString, stats: BigIntStats, first: ByteString | undefined): TarEntry {
  const at = bytePath(upper, path);
  const type = first !== undefined ? "hardlink" : typeOf(stats);
  const device = type === "char" || type === "block" ? stats.rdev : 0n;
  const isPlain = type === "file" || type === "directory";
  return {
    type,
    path: path === "" ? "./" : path,
    link: type === "symlink" ? fromBytes(readlinkSync(at, "buffer")) : (first ?? ""),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: 0,
    mtime: { seconds: timeOf(stats).seconds, nanoseconds: 0 },
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
    xattrs: isPlain ? new Map([...xattrsOfPath(at)].filter(([name]) => isLayerXattr(name))) : plain.xattrs,
  };
}

function typeOf(stats: BigIntStats): TarEntry["type"] {
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "char";
  if (stats.isBlockDevice()) return "block";
  return stats.isFIFO() ? "fifo" : "file";
}

/** Layers rarely speak of "/" itself; only when it looks different than below. */
function rootDiffers(stats: BigIntStats, below: LowerView): boolean {
  const there = below.find("")?.stats;
  if (there === undefined) return (Number(stats.mode) & 0o7777) !== 0o755 || stats.uid !== 0n || stats.gid !== 0n;
  return there.mode !== Number(stats.mode) || there.uid !== Number(stats.uid) || there.gid !== Number(stats.gid);
}

const beside = (path: ByteString, name: ByteString) => (parentOf(path) === "" ? name : `${parentOf(path)}/${name}`);

const marker = (path: ByteString): TarEntry => ({
  ...plain,
  type: "file",
  path,
  mtime: { seconds: 0, nanoseconds: 0 },
});
