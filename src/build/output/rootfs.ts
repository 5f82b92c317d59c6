import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { XattrReader } from "../../ports/build.ts";
import { LayerPlan } from "../copy/layer-plan.ts";
import { placeSelection } from "../copy/place.ts";
import { tarStream } from "../copy/tar-writer.ts";
import { emptyView, lstatIfThere } from "../tree/resolve.ts";
import { selectFiles } from "../tree/select.ts";
import { type SourceTree, walkTree } from "../tree/walk.ts";

/** The whole root as one tar, sorted. */
export function rootTar(root: string, xattrs: XattrReader, epoch: number | undefined): Readable {
  const tree: SourceTree = { root, name: "the image", keepOwners: true };
  const plan = new LayerPlan({ view: emptyView, accountsView: emptyView, now_s: epoch ?? 0 });
  const mtime_s = epoch === undefined ? undefined : (time: number) => Math.min(time, epoch);
  for (const selection of selectFiles(tree, "/"))
    placeSelection(plan, selection, { destination: "/", keepOwners: true, xattrs, mtime_s });
  return tarStream(plan.finish());
}

/** Copies the root into a directory: files there are replaced, others stay. Devices are left out: a directory of results has no use for them. */
export function copyRoot(root: string, target: string): void {
  mkdirSync(target, { recursive: true });
  const links = new Map<string, string>();
  const times: [string, number, number][] = [];
  for (const { path, hostPath, stat } of walkTree({ root, name: "the image", keepOwners: true }, "")) {
    const to = join(target, path);
    const there = lstatIfThere(to);
    if (there && !(there.isDirectory() && stat.isDirectory())) rmSync(to, { recursive: true, force: true });
    const linked = stat.nlink > 1 && stat.isFile() ? links.get(`${stat.dev}:${stat.ino}`) : undefined;
    if (stat.isDirectory()) mkdirSync(to, { recursive: true });
    else if (linked !== undefined) linkSync(linked, to);
    else if (stat.isFile()) copyFileSync(hostPath, to, constants.COPYFILE_FICLONE);
    else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(hostPath), to);
    else continue;
    if (stat.isFile()) links.set(`${stat.dev}:${stat.ino}`, to);
    lchownSync(to, stat.uid, stat.gid);
    if (!stat.isSymbolicLink()) chmodSync(to, stat.mode & 0o7777);
    times.push([to, stat.atimeMs / 1000, stat.mtimeMs / 1000]);
  }
  for (const [path, atime, mtime] of times.reverse()) lutimesSync(path, atime, mtime);
}
