import { createReadStream, createWriteStream } from "node:fs";
import { chmod, lchown, link, lstat, mkdir, readdir, readlink, rm, stat, symlink, utimes } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { Duplex, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import tar, { type Header } from "tar-stream";
import { BerthError } from "../base/errors.ts";

/** A tar of a local path; its entries are called `name`, name/… . */
export function packPath(path: string, name: string, options: { followLink: boolean; keepOwner: boolean }): Readable {
  const pack = tar.pack();
  const add = async (file: string, entryName: string, follow: boolean): Promise<void> => {
    const info = await (follow ? stat(file) : lstat(file));
    const header: Partial<Header> & { name: string } = {
      name: entryName,
      mode: info.mode & 0o7777,
      mtime: info.mtime,
      uid: 0,
      gid: 0,
    };
    if (options.keepOwner) Object.assign(header, { uid: info.uid, gid: info.gid });
    if (info.isDirectory()) {
      pack.entry({ ...header, type: "directory" });
      for (const child of (await readdir(file)).sort()) await add(join(file, child), `${entryName}/${child}`, false);
    } else if (info.isSymbolicLink())
      pack.entry({ ...header, type: "symlink", linkname: await readlink(file), size: 0 });
    else if (info.isFile())
      await pipeline(createReadStream(file), pack.entry({ ...header, type: "file", size: info.size }));
  };
  add(path, name, options.followLink).then(
    () => pack.finalize(),
    thrown => pack.destroy(thrown),
  );
  return pack as unknown as Readable;
}

/** Changes the first part of all names (and hard link targets) in a tar. */
export function renameEntries(from: string, to: string): Duplex {
  const rename = (name: string) => {
    const clean = name.replace(/^\.?\//, "");
    return clean === from || clean.startsWith(`${from}/`) ? to + clean.slice(from.length) : name;
  };
  const extract = tar.extract();
  const pack = tar.pack();
  extract.on("entry", (header, body, next) => {
    const linkname = header.type === "link" && header.linkname ? rename(header.linkname) : header.linkname;
    const entry = pack.entry({ ...header, name: rename(header.name), linkname }, error =>
      error ? extract.destroy(error) : next(),
    );
    body.pipe(entry);
  });
  extract.once("finish", () => pack.finalize());
  extract.once("error", error => pack.destroy(error as Error));
  return Duplex.from({
    writable: extract as unknown as NodeJS.WritableStream,
    readable: pack as unknown as NodeJS.ReadableStream,
  });
}

/** Unpacks below `directory`; an entry that would land elsewhere, itself or through a link, ends it with an error. */
export async function unpackInto(source: NodeJS.ReadableStream, directory: string, keepOwner: boolean): Promise<void> {
  const extract = tar.extract();
  const directories: { path: string; header: Header }[] = [];
  const work = (async () => {
    for await (const entry of extract) {
      const path = await safePath(directory, entry.header.name);
      await writeEntry(directory, path, entry.header, entry as unknown as Readable);
      if (entry.header.type === "directory") directories.push({ path, header: entry.header });
      else await finishEntry(path, entry.header, keepOwner);
      entry.resume();
    }
    for (const { path, header } of directories.reverse()) await finishEntry(path, header, keepOwner);
  })();
  await Promise.all([pipeline(source, extract as unknown as NodeJS.WritableStream), work]);
}

async function writeEntry(directory: string, path: string, header: Header, body: Readable): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const existing = await lstat(path).catch(() => undefined);
  if (header.type === "directory") {
    if (!existing?.isDirectory()) await mkdir(path);
    return;
  }
  if (existing?.isDirectory()) throw new BerthError("conflict", `cannot replace the directory ${path} by a file`);
  if (existing) await rm(path);
  if (header.type === "symlink") await symlink(header.linkname ?? "", path);
  else if (header.type === "link") await link(await safePath(directory, header.linkname ?? ""), path);
  else if (header.type === "file" || header.type === "contiguous-file")
    await pipeline(body, createWriteStream(path, { mode: 0o600 }));
  else throw new BerthError("unsupported", `${header.name} is a ${header.type}, which is not copied`);
}

async function finishEntry(path: string, header: Header, keepOwner: boolean): Promise<void> {
  if (keepOwner) await lchown(path, header.uid ?? 0, header.gid ?? 0);
  if (header.type === "symlink") return;
  await chmod(path, (header.mode ?? 0o644) & 0o7777);
  if (header.mtime) await utimes(path, header.mtime, header.mtime);
}

/** The path of an entry, if it and all its parents stay below `directory` without passing through a link. */
async function safePath(directory: string, name: string): Promise<string> {
  const path = resolve(directory, name.replace(/^\/+/, ""));
  if (path !== directory && !path.startsWith(directory.endsWith(sep) ? directory : directory + sep))
    throw new BerthError("invalid", `the archive's entry ${name} leads out of ${directory}`);
  for (let parent = dirname(path); parent.length > directory.length; parent = dirname(parent)) {
    const info = await lstat(parent).catch(() => undefined);
    if (info?.isSymbolicLink())
      throw new BerthError("invalid", `the archive's entry ${name} leads through the link ${parent}`);
  }
  return path;
}
