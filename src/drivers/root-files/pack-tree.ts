import { constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats } from "node:fs";
import type { Pack } from "tar-stream";
import { getXattr, listXattrs } from "../linux/files.ts";
import { type OpenFile, openFile } from "./open-in-root.ts";

type Header = Parameters<Pack["entry"]>[0];

const chunk_bytes = 256 * 1024;

export interface PackContext {
  pack: Pack;
  signal?: AbortSignal;
  /** Names in the archive that are left out, with all below. */
  skip: ReadonlySet<string>;
  /** First name of each file that has several, by device and inode. */
  links: Map<string, string>;
}

/**
 * Adds `parent/name` to the archive as `as`. Every step goes from an open directory to an entry of it without following links, so that nobody who renames
 * things meanwhile can lead the walk elsewhere.
 */
export async function packTree(context: PackContext, parent: OpenFile, name: string, as: string): Promise<void> {
  context.signal?.throwIfAborted();
  if (context.skip.has(as)) return;
  const path = `${parent.path}/${name}`;
  const stats = statOrGone(path);
  if (stats === undefined || stats.isSocket()) return;
  if (stats.isDirectory()) return await packDirectory(context, path, stats, as);
  const first = stats.nlink > 1 ? context.links.get(`${stats.dev}:${stats.ino}`) : undefined;
  const header = headerOf(path, stats, as);
  if (first !== undefined) {
    await add(context.pack, { ...header, type: "link", linkname: first, size: 0 });
    return;
  }
  if (stats.nlink > 1) context.links.set(`${stats.dev}:${stats.ino}`, as);
  if (stats.isFile()) await packFile(context, path, header);
  else await add(context.pack, header);
}

/** The entries of an open directory, without the directory itself where `as` is "". */
export async function packEntries(context: PackContext, directory: OpenFile, as: string): Promise<void> {
  for (const name of readdirSync(directory.path).sort()) {
    await packTree(context, directory, name, as === "" ? name : `${as}/${name}`);
  }
}

async function packDirectory(context: PackContext, path: string, stats: Stats, as: string): Promise<void> {
  if (as !== "") await add(context.pack, { ...headerOf(path, stats, `${as}/`), type: "directory", size: 0 });
  using directory = openFile(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW));
  await packEntries(context, directory, as);
}

async function packFile({ pack, signal }: PackContext, path: string, header: Header): Promise<void> {
  using file = openFile(openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  const size = fstatSync(file.fd).size;
  const entry = pack.entry({ ...header, size });
  const failed = new Promise<never>((_, reject) => entry.once("error", reject));
  failed.catch(() => undefined);
  const ended = new Promise<void>(resolve => entry.once("close", resolve).once("finish", resolve));
  for (let offset = 0; offset < size; ) {
    signal?.throwIfAborted();
    const wanted = Math.min(chunk_bytes, size - offset);
    const buffer = Buffer.allocUnsafe(wanted);
    const count = readSync(file.fd, buffer, 0, wanted, offset);
    // It was cut short meanwhile: filled with zeros, as GNU tar does, since its size is already in the archive.
    if (count === 0) buffer.fill(0);
    const data = count === 0 ? buffer : buffer.subarray(0, count);
    offset += data.length;
    if (!entry.write(data)) {
      await Promise.race([new Promise<void>(resolve => entry.once("drain", resolve)), failed, ended]);
    }
  }
  entry.end(null);
  await Promise.race([ended, failed]);
}

function headerOf(path: string, stats: Stats, name: string): Header {
  const header: Header = {
    name,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    mtime: stats.mtime,
    size: 0,
    type: typeOf(stats),
  };
  if (stats.isSymbolicLink()) header.linkname = readlinkSync(path);
  if (stats.isBlockDevice() || stats.isCharacterDevice()) {
    header.devmajor = major(stats.rdev);
    header.devminor = minor(stats.rdev);
  }
  const pax = extendedAttributes(path);
  if (Object.keys(pax).length > 0) header.pax = pax;
  return header;
}

function typeOf(stats: Stats): Header["type"] {
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "character-device";
  if (stats.isBlockDevice()) return "block-device";
  if (stats.isFIFO()) return "fifo";
  return "file";
}

/** As PAX records; tar-stream holds them as text, so that values which are not text (file capabilities) go through latin1. */
function extendedAttributes(path: string): Record<string, string> {
  const kept = listXattrs(path).filter(name => name === "security.capability" || name.startsWith("user."));
  return Object.fromEntries(
    kept.flatMap(name => {
      const value = getXattr(path, name);
      return value === undefined ? [] : [[`SCHILY.xattr.${name}`, value.toString("utf8")]];
    }),
  );
}

function statOrGone(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function add(pack: Pack, header: Header): Promise<void> {
  return new Promise((resolve, reject) => pack.entry(header, error => (error ? reject(error) : resolve())));
}

/** Device numbers as Linux packs them (see makedev(3)). */
const major = (device: number) => Number((BigInt(device) >> 8n) & 0xfffn);
const minor = (device: number) => Number((BigInt(device) & 0xffn) | ((BigInt(device) >> 12n) & 0xfff00n));
