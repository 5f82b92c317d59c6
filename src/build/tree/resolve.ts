import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { BerthError } from "../../base/errors.ts";

const mostLinks = 255;

/** lstat, or undefined where nothing is; below a file nothing is either. */
export function lstatIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw thrown;
  }
}

export interface Resolved {
  /** Within the root, "" for the root itself; links taken out as far as the path exists. */
  path: string;
  /** Undefined where nothing is. */
  stat: Stats | undefined;
}

/** What a walk through a root asks for at each step: a root on disk, or one with changes over it. */
export interface RootView {
  /** Paths without a leading slash; "" is the root. Links are not followed. */
  lstat(path: string): Stats | undefined;
  readlink(path: string): string;
}

export function diskView(root: string): RootView {
  return {
    lstat: path => lstatIfThere(path === "" ? root : `${root}/${path}`),
    readlink: path => readlinkSync(`${root}/${path}`),
  };
}

/** Nothing in it: the root of FROM scratch. */
export const emptyView: RootView = {
  lstat: () => undefined,
  readlink: () => "",
};

/**
 * Follows links inside the root and never out of it: an absolute link starts again at the root, `..` stops there.
 * The last element is followed unless `keepLast`. Throws `invalid` on a loop of links.
 */
export function resolveInRoot(
  view: RootView,
  path: string,
  { keepLast = false }: { keepLast?: boolean } = {},
): Resolved {
  const todo = path.split("/").reverse();
  const done: string[] = [];
  let stat = view.lstat("");
  for (let links = 0; todo.length > 0; ) {
    const part = todo.pop()!;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      stat = view.lstat(done.join("/"));
      continue;
    }
    const here = [...done, part].join("/");
    stat = view.lstat(here);
    const isLast = todo.every(rest => rest === "" || rest === ".");
    if (!stat?.isSymbolicLink() || (keepLast && isLast)) {
      done.push(part);
      continue;
    }
    if (++links > mostLinks) throw new BerthError("invalid", `following ${path}: too many symbolic links`);
    const target = view.readlink(here);
    if (target.startsWith("/")) done.length = 0;
    todo.push(...target.split("/").reverse());
  }
  return { path: done.join("/"), stat: done.length === 0 ? view.lstat("") : stat };
}
