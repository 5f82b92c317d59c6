import { closeSync, constants, fchmodSync, fchownSync, lstatSync, openSync } from "node:fs";
import type { ByteString, TarTime } from "../../image/layer/tar-entry.ts";
import { makeNodeAt, openInRoot, setTimes, setXattrOf } from "../linux/at.ts";
import { SystemError } from "../linux/libc.ts";
import { xattrsOfPath } from "../linux/xattr-bytes.ts";
import { DirectoryHandles } from "./directory-handles.ts";
import { applyXattrs } from "./layer-xattrs.ts";
import { type LowerView, opaqueXattr, parentOf } from "./lower-view.ts";

export interface DirectoryFacts {
  mode: number;
  uid: number;
  gid: number;
  mtime: TarTime;
  xattrs: Map<string, Buffer>;
}

/** What a layer tar said that can be done only after its last member. */
export interface LayerRemarks {
  directories: Map<ByteString, DirectoryFacts>;
  /** Directories made because something lies in them: the layer says nothing about them. */
  implicit: Set<ByteString>;
  whiteouts: Set<ByteString>;
  opaque: Set<ByteString>;
}

const bare: DirectoryFacts = { mode: 0o755, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, xattrs: new Map() };

/**
 * Makes an unpacked directory a layer over `below`. Whiteouts and opaque marks hold for lower layers only, whatever their order in the tar (OCI image-spec, layer.md), and
 * those that hide nothing are left out: overlayfs shows such a marker as a broken file in a directory that is not merged. A directory that the layer
 * only passes through looks as it does below, so that writing /tmp/x does not take the sticky bit off /tmp.
 */
export function finishLayer(directory: string, remarks: LayerRemarks, below: LowerView): void {
  const root = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  const handles = new DirectoryHandles(root, path => remarks.implicit.add(path));
  try {
    for (const path of remarks.opaque) hideBelow(root, handles, path, below);
    for (const path of remarks.whiteouts) {
      if (below.find(path) !== undefined) hide(root, handles, path);
    }
    for (const path of remarks.implicit) {
      if (!remarks.directories.has(path)) setFacts(root, path, factsBelow(below, path));
    }
    for (const [path, facts] of remarks.directories) setFacts(root, path, facts);
  } finally {
    handles.close();
    closeSync(root);
  }
}

function hideBelow(root: number, handles: DirectoryHandles, path: ByteString, below: LowerView): void {
  if (below.directoriesAt(path).length === 0) return;
  if (path !== "") handles.get(path);
  markOpaque(root, path);
}

/** What the layer itself has at the path stays: a directory then stands alone, without what is below. */
function hide(root: number, handles: DirectoryHandles, path: ByteString): void {
  const parent = handles.get(parentOf(path));
  try {
    makeNodeAt(parent, path.slice(path.lastIndexOf("/") + 1), "char");
  } catch (thrown) {
    if (!(thrown instanceof SystemError) || thrown.code !== "EEXIST") throw thrown;
    markOpaque(root, path);
  }
}

function markOpaque(root: number, path: ByteString): void {
  withDirectory(root, path, fd => setXattrOf(fd, opaqueXattr, Buffer.from("y")));
}

function setFacts(root: number, path: ByteString, facts: DirectoryFacts): void {
  withDirectory(root, path, fd => {
    fchownSync(fd, facts.uid, facts.gid);
    fchmodSync(fd, facts.mode);
    applyXattrs(fd, facts.xattrs);
    setTimes(fd, facts.mtime);
  });
}

function factsBelow(below: LowerView, path: ByteString): DirectoryFacts {
  const [highest] = below.directoriesAt(path);
  if (highest === undefined) return bare;
  const stats = lstatSync(highest, { bigint: true });
  return {
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: { seconds: Number(stats.mtimeNs / 1_000_000_000n), nanoseconds: Number(stats.mtimeNs % 1_000_000_000n) },
    xattrs: xattrsOfPath(highest),
  };
}

/** Nothing happens where a later member replaced the directory by something else. */
function withDirectory(root: number, path: ByteString, work: (fd: number) => void): void {
  let fd: number;
  try {
    fd = openInRoot(root, path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (thrown) {
    if (thrown instanceof SystemError && ["ENOENT", "ENOTDIR", "ELOOP"].includes(thrown.code)) return;
    throw thrown;
  }
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}
