import {
  chmodSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { type Extract, extract, type Header } from "tar-stream";
import { BerthError } from "../../base/errors.ts";
import type { UnpackOptions } from "../../ports/root-files.ts";
import { mknod, setXattr } from "../linux/files.ts";
import { makeDirectoryInRoot } from "./make-directory.ts";
import { O_PATH, type OpenFile, openFile, openInRoot } from "./open-in-root.ts";
import { openParent } from "./path-stat.ts";

type Entry = Extract extends AsyncIterable<infer Source> ? Source : never;

/** Unpacks below the directory `base` of the root. Each entry's parent is opened inside the root, then the entry is made there without following links. */
export async function unpackTree(root: OpenFile, base: string, tar: Readable, options: UnpackOptions): Promise<void> {
  const archive = extract();
  tar.on("error", error => archive.destroy(error));
  tar.pipe(archive);
  const directories: { path: string; header: Header }[] = [];
  for await (const entry of archive) {
    options.signal?.throwIfAborted();
    const name = entryName(entry.header.name);
    const path = posix.join(base, name);
    if (name !== "") {
      await unpackEntry(root, base, path, entry, options);
      if (entry.header.type === "directory") directories.push({ path, header: entry.header });
    }
    entry.resume();
  }
  // Last, since what is put into a directory changes its time.
  for (const { path, header } of directories.reverse()) setTimes(root, path, header);
}

/** Relative, without "."; throws `invalid` on a name that leads upwards. */
function entryName(name: string): string {
  const parts = name.split("/").filter(part => part !== "" && part !== ".");
  if (parts.includes("..")) {
    throw new BerthError("invalid", `the archive holds ${JSON.stringify(name)}, which leads out of its directory`);
  }
  return parts.join("/");
}

async function unpackEntry(root: OpenFile, base: string, path: string, entry: Entry, options: UnpackOptions) {
  const { header } = entry;
  makeDirectoryInRoot(root, posix.dirname(path));
  const { parent, name } = openParent(root, path);
  using _parent = parent;
  const place = `${parent.path}/${name}`;
  clear(place, path, header.type === "directory", options);
  switch (header.type) {
    case "directory":
      if (lstatSync(place, { throwIfNoEntry: false }) === undefined) mkdirSync(place);
      break;
    case "symlink":
      symlinkSync(header.linkname ?? "", place);
      break;
    case "link":
      return hardLink(root, posix.join(base, entryName(header.linkname ?? "")), place);
    case "character-device":
    case "block-device": {
      const device = { major: header.devmajor ?? 0, minor: header.devminor ?? 0 };
      mknod(place, header.type === "block-device" ? "block" : "char", 0o600, device);
      break;
    }
    case "fifo":
      mknod(place, "fifo", 0o600);
      break;
    default:
      await writeFile(place, entry);
  }
  setAttributes(parent, name, header, options);
}

function clear(place: string, path: string, makesDirectory: boolean, options: UnpackOptions): void {
  const found: Stats | undefined = lstatSync(place, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory() && makesDirectory) return;
  if (options.noOverwriteDirNonDir && found.isDirectory() !== makesDirectory) {
    const what = makesDirectory ? "non-directory with a directory" : "directory with a non-directory";
    throw new BerthError("invalid", `cannot overwrite ${path}: this would replace a ${what}`);
  }
  rmSync(place, { recursive: true, force: true });
}

async function writeFile(place: string, entry: Entry): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  using file = openFile(openSync(place, flags, 0o600));
  for await (const chunk of entry) {
    const data = chunk as Buffer;
    for (let offset = 0; offset < data.length; ) offset += writeSync(file.fd, data, offset);
  }
}

function hardLink(root: OpenFile, target: string, place: string): void {
  const { parent, name } = openParent(root, target);
  using _parent = parent;
  linkSync(`${parent.path}/${name}`, place);
}

/** Owner before mode: changing the owner clears setuid and file capabilities. */
function setAttributes(parent: OpenFile, name: string, header: Header, options: UnpackOptions): void {
  const place = `${parent.path}/${name}`;
  if (options.copyOwner !== false) lchownSync(place, header.uid ?? 0, header.gid ?? 0);
  const mtime = header.mtime ?? new Date(0);
  if (header.type === "symlink") {
    lutimesSync(place, mtime, mtime);
    return;
  }
  using file = openFile(openSync(place, O_PATH | constants.O_NOFOLLOW));
  chmodSync(file.path, (header.mode ?? 0o644) & 0o7777);
  for (const [key, value] of Object.entries((header.pax ?? {}) as Record<string, string>)) {
    if (key.startsWith("SCHILY.xattr.")) setXattr(place, key.slice("SCHILY.xattr.".length), Buffer.from(value, "utf8"));
  }
  utimesSync(file.path, mtime, mtime);
}

function setTimes(root: OpenFile, path: string, header: Header): void {
  using directory = openInRoot(root, path, O_PATH | constants.O_DIRECTORY);
  const mtime = header.mtime ?? new Date(0);
  utimesSync(directory.path, mtime, mtime);
}
