import { constants, lstatSync, type Stats } from "node:fs";
import { posix } from "node:path";
import type { PathStat } from "../../ports/engine.ts";
import { O_PATH, type OpenFile, openInRoot, pathInRoot } from "./open-in-root.ts";

/** Go's os.FileMode: the permission bits are Unix's, the rest are Go's own (package io/fs, FileMode). */
export function goFileMode(stats: Stats): number {
  const kind = stats.mode & constants.S_IFMT;
  const bits: Record<number, number> = {
    [constants.S_IFDIR]: 2 ** 31,
    [constants.S_IFLNK]: 2 ** 27,
    [constants.S_IFBLK]: 2 ** 26,
    [constants.S_IFIFO]: 2 ** 25,
    [constants.S_IFSOCK]: 2 ** 24,
    [constants.S_IFCHR]: 2 ** 26 + 2 ** 21,
  };
  const special =
    (stats.mode & 0o4000 ? 2 ** 23 : 0) + (stats.mode & 0o2000 ? 2 ** 22 : 0) + (stats.mode & 0o1000 ? 2 ** 20 : 0);
  return (stats.mode & 0o777) + special + (bits[kind] ?? 0);
}

/** The parent as an open directory, and the last element's name; "." for the root itself. */
export function openParent(root: OpenFile, path: string): { parent: OpenFile; name: string } {
  const clean = posix.normalize(`/${path}`).replace(/(.)\/$/, "$1");
  const name = posix.basename(clean) || ".";
  return { parent: openInRoot(root, posix.dirname(clean), O_PATH | constants.O_DIRECTORY), name };
}

export function statInRoot(root: OpenFile, path: string): PathStat {
  // "dir/" and "dir/." ask for what a link leads to.
  const followed = /\/\.?$/.test(path) ? resolveInRoot(root, path) : path;
  const { parent, name } = openParent(root, followed);
  using _parent = parent;
  const stats = lstatSync(`${parent.path}/${name}`);
  return {
    name: posix.basename(posix.normalize(`/${path}`)) || "/",
    size: stats.size,
    mode: goFileMode(stats),
    mtime: stats.mtime.toISOString(),
    linkTarget: stats.isSymbolicLink() ? linkTarget(root, followed) : "",
  };
}

/** Where the link leads in the end; Docker's clients continue there. */
function linkTarget(root: OpenFile, path: string): string {
  try {
    return resolveInRoot(root, path);
  } catch {
    return "";
  }
}

export function resolveInRoot(root: OpenFile, path: string): string {
  using file = openInRoot(root, path, O_PATH);
  return pathInRoot(root, file);
}
