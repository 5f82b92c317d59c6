import { lstatSync, readdirSync } from "node:fs";
import { type ByteString, toText } from "../../image/layer/tar-entry.ts";
import type { Change } from "../../ports/layers.ts";
import { bytePath, type LowerView, parentOf } from "./lower-view.ts";
import { type UpperMember, walkUpper } from "./upper-walk.ts";

/**
 * What a root has changed, as `docker diff` lists it: in path order; a directory is modified when it looks different itself or when something in it was changed.
 */
export function changesOf(upper: string, below: LowerView): Change[] {
  const changes = new Map<ByteString, Change["kind"]>();
  const touch = (path: ByteString) => {
    for (let at = parentOf(path); at !== "" && !changes.has(at); at = parentOf(at)) changes.set(at, "modified");
  };
  const record = (path: ByteString, kind: Change["kind"]) => {
    changes.set(path, kind);
    touch(path);
  };
  for (const member of walkUpper(upper, below)) {
    const { path } = member;
    if (member.kind === "whiteout") record(path, "deleted");
    else if (below.find(path) === undefined) record(path, "added");
    else if (!member.stats.isDirectory() || looksDifferent(member, below)) record(path, "modified");
    if (member.isOpaque) for (const gone of hiddenBy(upper, member, below)) record(gone, "deleted");
  }
  return [...changes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, kind]) => ({ kind, path: `/${toText(path)}` }));
}

/** Sizes of the files in an upper directory, each inode once. */
export function changesSizeOf(upper: string, below: LowerView): number {
  const seen = new Set<bigint>();
  let sum = 0;
  for (const { kind, stats } of walkUpper(upper, below)) {
    if (kind === "whiteout" || !stats.isFile() || seen.has(stats.ino)) continue;
    if (stats.nlink > 1n) seen.add(stats.ino);
    sum += Number(stats.size);
  }
  return sum;
}

/** overlayfs copies a directory up, with its time, as soon as something in it is opened for writing: that alone is no change. */
function looksDifferent({ path, stats, isOpaque }: UpperMember, below: LowerView): boolean {
  const [highest] = below.directoriesAt(path);
  if (highest === undefined || isOpaque) return true;
  const there = lstatSync(highest, { bigint: true });
  return (
    there.mode !== stats.mode || there.uid !== stats.uid || there.gid !== stats.gid || there.mtimeNs !== stats.mtimeNs
  );
}

/** Names that an opaque directory hides and does not have itself. */
function hiddenBy(upper: string, { path }: UpperMember, below: LowerView): ByteString[] {
  const own = new Set(readdirSync(bytePath(upper, path), "latin1"));
  const hidden = new Set<ByteString>();
  for (const directory of below.directoriesAt(path)) {
    for (const name of readdirSync(directory, "latin1")) {
      const at = `${path}/${name}`;
      if (!own.has(name) && below.find(at) !== undefined) hidden.add(at);
    }
  }
  return [...hidden];
}
