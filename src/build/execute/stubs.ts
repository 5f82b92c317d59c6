import { readdirSync, rmdirSync, type Stats, unlinkSync } from "node:fs";
import { posix } from "node:path";
import { diskView, lstatIfThere, resolveInRoot } from "../tree/resolve.ts";

/**
 * What a runtime makes so that it can mount something there: an empty file or directories. None of it belongs into the layer, nor does a parent
 * directory that was copied up only for it.
 */
interface Stub {
  /** Within the root. */
  path: string;
  /** The first element that was missing. */
  first: string;
  parent: { path: string; stat: Stats; names: string };
}

function namesOf(path: string): string {
  return readdirSync(path).sort().join("\0");
}

/** Looks before the step runs at what is missing among its mount points. */
export function findStubs(root: string, mountPoints: readonly string[]): Stub[] {
  const view = diskView(root);
  const stubs: Stub[] = [];
  for (const point of mountPoints) {
    const { path, stat } = resolveInRoot(view, point);
    if (stat || path === "") continue;
    const parts = path.split("/");
    let depth = 1;
    while (depth < parts.length && view.lstat(parts.slice(0, depth).join("/"))) depth++;
    const parent = parts.slice(0, depth - 1).join("/");
    const parentStat = view.lstat(parent);
    if (!parentStat?.isDirectory()) continue;
    stubs.push({
      path,
      first: parts.slice(0, depth).join("/"),
      parent: { path: parent, stat: parentStat, names: namesOf(`${root}/${parent}`) },
    });
  }
  return stubs;
}

/** Removes what is still empty, deepest first; what the step has put something into stays. */
export function removeStubs(root: string, stubs: readonly Stub[]): void {
  for (const { path, first } of stubs.toSorted((a, b) => b.path.length - a.path.length)) {
    for (let at = path; at.length >= first.length; at = posix.dirname(at)) {
      const stat = lstatIfThere(`${root}/${at}`);
      if (!stat) continue;
      if (stat.isFile() && stat.size === 0) unlinkSync(`${root}/${at}`);
      else if (!stat.isDirectory() || readdirSync(`${root}/${at}`).length > 0) break;
      else rmdirSync(`${root}/${at}`);
    }
  }
}

/** Parents that hold exactly what they held before, with owner and mode as before: their copies in the upper directory say nothing. */
export function idleParents(root: string, stubs: readonly Stub[]): string[] {
  const idle = new Set<string>();
  for (const { parent } of stubs) {
    const stat = parent.path === "" ? undefined : lstatIfThere(`${root}/${parent.path}`);
    if (!stat?.isDirectory()) continue;
    const same = stat.mode === parent.stat.mode && stat.uid === parent.stat.uid && stat.gid === parent.stat.gid;
    if (same && namesOf(`${root}/${parent.path}`) === parent.names) idle.add(parent.path);
  }
  return [...idle];
}

/** To be called when the root is no longer mounted. */
export function dropIdleParents(upper: string, parents: readonly string[]): void {
  for (const path of parents) {
    for (let at = path; at !== "." && at !== ""; at = posix.dirname(at)) {
      const host = `${upper}/${at}`;
      if (!lstatIfThere(host)?.isDirectory() || readdirSync(host).length > 0) break;
      rmdirSync(host);
      // Only parents that were found idle themselves may go too.
      if (!parents.includes(posix.dirname(at))) break;
    }
  }
}
