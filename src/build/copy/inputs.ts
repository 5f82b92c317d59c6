import { createHash, type Hash } from "node:crypto";
import { readlinkSync } from "node:fs";
import type { FileDigests } from "../tree/file-digests.ts";
import type { Selection } from "../tree/select.ts";
import type { SourceTree, TreeItem } from "../tree/walk.ts";

function addItem(hash: Hash, tree: SourceTree, name: string, item: TreeItem, digests: FileDigests) {
  const { stat, hostPath } = item;
  const owner = tree.keepOwners ? `${stat.uid}:${stat.gid}` : "";
  const kind = stat.mode & 0o170000;
  let content = "";
  if (stat.isFile()) content = digests.digest(hostPath, stat);
  else if (stat.isSymbolicLink()) content = readlinkSync(hostPath);
  else if (!stat.isDirectory()) content = String(stat.rdev);
  hash.update(`${name}\0${kind}\0${stat.mode & 0o7777}\0${owner}\0${content}\n`);
}

/** Digest of what is copied: names, kinds, modes, owners where they are kept, and content; never times. */
export function selectionsDigest(tree: SourceTree, selections: readonly Selection[], digests: FileDigests): string {
  const hash = createHash("sha256");
  for (const selection of selections) {
    for (const parent of selection.parents) addItem(hash, tree, `>${parent.path}`, parent, digests);
    if (!selection.isRoot) addItem(hash, tree, selection.name, selection.item, digests);
    for (const item of selection.below) addItem(hash, tree, `${selection.name}/${item.path}`, item, digests);
  }
  return hash.digest("hex");
}
