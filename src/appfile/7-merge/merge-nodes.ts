import type { Shape } from "../4-decode/shape.ts";
import type { Entry, MapNode, Node } from "../node.ts";

/** `over` joined to `base`, both canonical and of `shape`. Null does not clear; `!reset` is for the parent to see. */
export function mergeNodes(shape: Shape<unknown>, base: Node, over: Node): Node {
  if (over.directive || !shape.merge || base.directive === "reset") return over;
  return shape.merge(base, over);
}

/** Joins two mappings whose values have the shapes that `shapeOf` says. */
export function mergeEntries(base: MapNode, over: MapNode, shapeOf: (key: string) => Shape<unknown>): MapNode {
  const entries = new Map<string, Entry>(base.entries);
  for (const [key, entry] of over.entries) {
    const before = entries.get(key);
    if (entry.value.directive === "reset") entries.delete(key);
    else if (!before) entries.set(key, entry);
    else entries.set(key, { at: entry.at, value: mergeNodes(shapeOf(key), before.value, entry.value) });
  }
  return { kind: "map", entries, at: over.at };
}

/** Takes out the `!reset` that had nothing to remove. */
export function settle(node: Node): Node {
  if (node.kind === "scalar") return node;
  if (node.kind === "list") return { ...node, items: node.items.map(settle) };
  const entries = new Map<string, Entry>();
  for (const [key, { at, value }] of node.entries) {
    if (value.directive !== "reset") entries.set(key, { at, value: settle(value) });
  }
  return { ...node, entries };
}
