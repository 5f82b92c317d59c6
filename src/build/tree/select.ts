import { readdirSync } from "node:fs";
import { posix } from "node:path";
import { BerthError } from "../../base/errors.ts";
import { type Glob, GlobError, hasWildcard, matchGlob, parseGlob } from "../match/glob.ts";
import { cleanPath, IgnoreRules } from "../match/ignore.ts";
import { diskView, resolveInRoot } from "./resolve.ts";
import { compareNames, isIgnored, type SourceTree, type TreeItem, walkTree } from "./walk.ts";

/** One thing that a source names: a file, or a directory with what is in it. */
export interface Selection {
  /** What it is called at the destination, if that is a directory; with `parents` a path. */
  name: string;
  item: TreeItem;
  /** Of a directory: everything below, parents first. */
  below: TreeItem[];
  /** --parents: directories to make on the way, outermost first, paths as in `name`. */
  parents: TreeItem[];
  /** The root of a tree: its own owner and mode say nothing. */
  isRoot: boolean;
}

export interface SelectOptions {
  exclude?: readonly string[];
  parents?: boolean;
}

/** Paths of the tree that fit a pattern, sorted. Walks only directories that the pattern's parts lead into. */
function expandWildcard(tree: SourceTree, pattern: string, doubleStar: boolean): string[] {
  let globs: Glob[];
  try {
    globs = pattern.split("/").map(part => parseGlob(part, { doubleStar }));
  } catch (thrown) {
    if (thrown instanceof GlobError) throw new BerthError("invalid", thrown.message);
    throw thrown;
  }
  const view = diskView(tree.root);
  const found: string[] = [];
  const visit = (directory: string, index: number) => {
    const real = resolveInRoot(view, directory);
    if (!real.stat?.isDirectory()) return;
    const glob = globs[index]!;
    const anyDepth = doubleStar && glob.some(token => token.kind === "rest" || token.kind === "directories");
    if (anyDepth && index < globs.length - 1) visit(directory, index + 1);
    for (const name of readdirSync(`${tree.root}/${real.path}`).sort(compareNames)) {
      const path = directory === "" ? name : `${directory}/${name}`;
      if (anyDepth && index < globs.length - 1) visit(path, index);
      else if (matchGlob(glob, name)) {
        if (index < globs.length - 1) visit(path, index + 1);
        else if (!isIgnored(tree, path) || tree.rules?.mayTakeBackIn(path)) found.push(path);
      }
    }
  };
  visit("", 0);
  return [...new Set(found)].sort(compareNames);
}

function missing(tree: SourceTree, source: string, ignored: boolean): BerthError {
  return new BerthError("not_found", `${source} is not in ${tree.name}`, {
    hint: ignored
      ? "the file is there, but .dockerignore leaves it out"
      : "paths start at the root of the context, not at the Dockerfile",
  });
}

function selectOne(tree: SourceTree, path: string, excluded: IgnoreRules | undefined): Selection | undefined {
  const resolved = resolveInRoot(diskView(tree.root), path);
  const ignored = isIgnored(tree, path);
  if (!resolved.stat) return undefined;
  if (ignored && !(resolved.stat.isDirectory() && tree.rules?.mayTakeBackIn(path))) return undefined;
  const hostPath = resolved.path === "" ? tree.root : `${tree.root}/${resolved.path}`;
  const item = { path: "", hostPath, stat: resolved.stat };
  const name = posix.basename(path);
  const below = resolved.stat.isDirectory() ? walkTree(tree, resolved.path) : [];
  return {
    name,
    item,
    below: excluded ? withoutExcluded(below, excluded) : below,
    parents: [],
    isRoot: resolved.path === "",
  };
}

/** Directories stay where something in them stays, or where they were not excluded themselves. */
function withoutExcluded(items: TreeItem[], rules: IgnoreRules): TreeItem[] {
  const kept = items.filter(item => !rules.ignores(item.path));
  const wanted = new Set<string>();
  for (const { path } of kept) {
    for (let parent = posix.dirname(path); parent !== "."; parent = posix.dirname(parent)) wanted.add(parent);
  }
  const names = new Set(kept.map(item => item.path));
  return items.filter(({ path }) => names.has(path) || wanted.has(path));
}

function withParents(tree: SourceTree, selection: Selection, path: string, pivot: number): Selection {
  const view = diskView(tree.root);
  const parts = path.split("/");
  const parents: TreeItem[] = [];
  for (let i = pivot + 1; i < parts.length; i++) {
    const directory = parts.slice(0, i).join("/");
    const { path: real, stat } = resolveInRoot(view, directory);
    if (stat) parents.push({ path: parts.slice(pivot, i).join("/"), hostPath: `${tree.root}/${real}`, stat });
  }
  return { ...selection, name: parts.slice(pivot).join("/"), parents };
}

/** `a/./b/c`: the parents that --parents keeps start behind the dot. */
function pivotOf(source: string): number {
  const at = source.replace(/^\.\//, "").indexOf("/./");
  return at < 0 ? 0 : cleanPath(source.replace(/^\.\//, "").slice(0, at)).split("/").filter(Boolean).length;
}

/**
 * What one source of COPY or ADD names in a tree: a path (links followed, inside the tree only) or Go's wildcards (with --parents also `**`).
 * A path that is not there throws `not_found`; a wildcard may fit nothing. Paths that lead out of the tree stay in it, as in Docker.
 */
export function selectFiles(
  tree: SourceTree,
  source: string,
  { exclude = [], parents = false }: SelectOptions = {},
): Selection[] {
  const excluded = exclude.length > 0 ? new IgnoreRules(exclude, "--exclude") : undefined;
  const clean = cleanPath(source);
  const pivot = parents ? pivotOf(source) : 0;
  const literal = !hasWildcard(clean);
  const paths = literal ? [clean] : expandWildcard(tree, clean, parents);
  return paths.flatMap(path => {
    const selection = selectOne(tree, path, excluded);
    if (!selection) {
      if (literal) throw missing(tree, source, isIgnored(tree, clean));
      return [];
    }
    const isDirectory = selection.item.stat.isDirectory();
    if (excluded && (literal || !isDirectory) && !isDirectory && excluded.ignores(selection.name)) return [];
    if (excluded && !literal && isDirectory && excluded.ignores(selection.name)) return [];
    return [parents && path !== "" ? withParents(tree, selection, path, pivot) : selection];
  });
}
