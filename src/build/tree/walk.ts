import { lstatSync, readdirSync, type Stats } from "node:fs";
import { BerthError } from "../../base/errors.ts";
import type { IgnoreRules, IgnoreState } from "../match/ignore.ts";

/** Files that COPY, ADD and mounts may take: a context, or the root of a stage or image. */
export interface SourceTree {
  /** Host directory. */
  root: string;
  /** For messages: "the build context", "stage build". */
  name: string;
  rules?: IgnoreRules;
  /** Stages and images keep owners; files of a context become root's. */
  keepOwners: boolean;
}

export interface TreeItem {
  /** Relative to where the walk began; "" is that place itself. */
  path: string;
  hostPath: string;
  stat: Stats;
}

const mostItems = 2_000_000;

/** Orders names by their bytes, whatever the locale. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** State of the rules for everything inside `directory` (a path of the tree; "" is its root). */
function stateAt(rules: IgnoreRules, directory: string): IgnoreState {
  let state = rules.start;
  const parts = directory === "" ? [] : directory.split("/");
  for (let i = 1; i <= parts.length; i++) state = rules.test(parts.slice(0, i).join("/"), state).state;
  return state;
}

/**
 * Everything below `from` (a real directory of the tree, links resolved), depth first and sorted, without what the tree's rules ignore.
 * An ignored directory is still entered where a `!` pattern may take something in it back; it is then listed before that.
 */
export function walkTree(tree: SourceTree, from: string, onIgnored?: (path: string) => void): TreeItem[] {
  const items: TreeItem[] = [];
  const { rules } = tree;
  const visit = (directory: string, path: string, state: IgnoreState | undefined, pending: TreeItem[]) => {
    const host = directory === "" ? tree.root : `${tree.root}/${directory}`;
    for (const name of readdirSync(host).sort(compareNames)) {
      const inTree = directory === "" ? name : `${directory}/${name}`;
      const verdict = rules && state && rules.test(inTree, state);
      const stat = lstatSync(`${host}/${name}`, { throwIfNoEntry: false });
      if (!stat) continue;
      const item = { path: path === "" ? name : `${path}/${name}`, hostPath: `${host}/${name}`, stat };
      if (verdict?.ignored) {
        onIgnored?.(inTree);
        if (stat.isDirectory() && rules?.mayTakeBackIn(inTree))
          visit(inTree, item.path, verdict.state, [...pending, item]);
        continue;
      }
      items.push(...pending.splice(0), item);
      if (items.length > mostItems) throw new BerthError("exhausted", `${tree.name} has more than ${mostItems} files`);
      if (stat.isDirectory()) visit(inTree, item.path, verdict?.state, []);
    }
  };
  visit(from, "", rules && stateAt(rules, from), []);
  return items;
}

/** Whether the rules keep this path of the tree out, and everything in it. */
export function isIgnored(tree: SourceTree, path: string): boolean {
  return path !== "" && (tree.rules?.ignores(path) ?? false);
}
