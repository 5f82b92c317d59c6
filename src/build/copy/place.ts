import { readlinkSync, type Stats } from "node:fs";
import { posix } from "node:path";
import type { XattrReader } from "../../ports/build.ts";
import type { Selection } from "../tree/select.ts";
import type { TreeItem } from "../tree/walk.ts";
import type { LayerEntry } from "./layer-entry.ts";
import type { LayerPlan } from "./layer-plan.ts";
import type { Owner } from "./owner.ts";

export interface PlaceOptions {
  /** Absolute; a slash at the end says that it is a directory. */
  destination: string;
  /** Absent: files keep their owners where `keepOwners` says so, else they are root's. */
  owner?: Owner;
  mode?: (mode: number, isDirectory: boolean) => number;
  keepOwners: boolean;
  /** Absent: as on disk. */
  mtime_s?: (mtime_s: number) => number;
  xattrs?: XattrReader;
}

/** Linux's encoding of a device number (makedev in glibc). */
function deviceOf(rdev: number): { major: number; minor: number } {
  const bits = BigInt(rdev);
  return {
    major: Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & ~0xfffn)),
    minor: Number((bits & 0xffn) | ((bits >> 12n) & ~0xffn)),
  };
}

function typeOf(stat: Stats): LayerEntry["type"] | undefined {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isFIFO()) return "fifo";
  if (stat.isCharacterDevice()) return "char";
  if (stat.isBlockDevice()) return "block";
  return undefined;
}

/** A file of a tree as a layer's entry; undefined for sockets, which no layer can hold. */
function entryOf(item: TreeItem, path: string, options: PlaceOptions): LayerEntry | undefined {
  const { stat, hostPath } = item;
  const type = typeOf(stat);
  if (!type) return undefined;
  const owner = options.owner ?? (options.keepOwners ? { uid: stat.uid, gid: stat.gid } : { uid: 0, gid: 0 });
  const mode = stat.mode & 0o7777;
  const mtime_s = Math.floor(stat.mtimeMs / 1000);
  return {
    path,
    type,
    mode: options.mode && type !== "symlink" ? options.mode(mode, type === "directory") : mode,
    ...owner,
    mtime_s: options.mtime_s?.(mtime_s) ?? mtime_s,
    content: type === "file" ? { hostPath, size: stat.size } : undefined,
    linkName: type === "symlink" ? readlinkSync(hostPath) : undefined,
    device: type === "char" || type === "block" ? deviceOf(stat.rdev) : undefined,
    identity: type === "file" && stat.nlink > 1 ? `${stat.dev}:${stat.ino}` : undefined,
    xattrs: type === "symlink" ? undefined : options.xattrs?.(hostPath),
  };
}

/** A nested directory goes where a link of the image leads, so that `lib -> usr/lib` keeps working. */
function placeBelow(plan: LayerPlan, target: string, below: readonly TreeItem[], options: PlaceOptions) {
  const places = new Map([["", target]]);
  for (const item of below) {
    const parent = posix.dirname(item.path);
    const path = posix.join(places.get(parent === "." ? "" : parent)!, posix.basename(item.path));
    if (!item.stat.isDirectory()) {
      const entry = entryOf(item, path, options);
      if (entry) plan.put(entry);
      continue;
    }
    const { path: real, stat } = plan.resolve(path);
    const at = stat?.isDirectory() ? real : path;
    places.set(item.path, at);
    const entry = entryOf(item, at, options);
    if (entry) plan.put(entry);
  }
}

function placeDirectory(plan: LayerPlan, destination: string, selection: Selection, options: PlaceOptions) {
  const existed = plan.resolve(destination).stat !== undefined;
  const target = plan.directory(destination, options.owner);
  // A directory that is new takes after its source; one that was there stays as it is.
  const isNew = !existed && target !== "";
  if (isNew && !selection.isRoot) {
    const entry = entryOf(selection.item, target, options);
    if (entry) plan.put(entry);
  }
  const made = plan.entry(target);
  if (isNew && selection.isRoot && options.mode && made) plan.put({ ...made, mode: options.mode(made.mode, true) });
  placeBelow(plan, target, selection.below, options);
}

function placeParents(plan: LayerPlan, selection: Selection, options: PlaceOptions) {
  for (const parent of selection.parents) {
    const path = posix.join(options.destination, parent.path);
    const existed = plan.resolve(path).stat !== undefined;
    const target = plan.directory(path, options.owner);
    const entry = existed ? undefined : entryOf(parent, target, options);
    if (entry) plan.put(entry);
  }
}

/**
 * Docker's rules for where things go: a directory gives its contents; a file goes into a destination that is a directory or is written with a
 * slash at the end, else it gets the destination's name. With --parents everything keeps its own path below the destination.
 */
export function placeSelection(plan: LayerPlan, selection: Selection, options: PlaceOptions & { keepPath?: boolean }) {
  if (options.keepPath) placeParents(plan, selection, options);
  const named = posix.join(options.destination, selection.name);
  if (selection.item.stat.isDirectory()) {
    placeDirectory(plan, options.keepPath && !selection.isRoot ? named : options.destination, selection, options);
    return;
  }
  const isInto =
    options.keepPath || options.destination.endsWith("/") || plan.resolve(options.destination).stat?.isDirectory();
  placeFile(plan, isInto ? named : options.destination, options.owner, path => entryOf(selection.item, path, options));
}

/** A single file at an absolute path: parents made, a link in its place replaced. */
export function placeFile(
  plan: LayerPlan,
  at: string,
  owner: Owner | undefined,
  make: (path: string) => LayerEntry | undefined,
) {
  const directory = plan.directory(posix.dirname(at), owner);
  const entry = make(posix.join(directory, posix.basename(at)));
  if (entry) plan.put(entry);
}
