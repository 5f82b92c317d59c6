import type { Lookup } from "../3-interpolate/template.ts";
import type { Budget } from "../budget.ts";
import { describe, type Entry, type MapNode, type Node, type ScalarNode } from "../node.ts";
import type { Problems } from "../problems.ts";

/** What decoding one file needs to know of the world around it. */
export interface Decoder {
  problems: Problems;
  /** Where decoding is; pushed and popped on the way. */
  path: (string | number)[];
  /** Absolute: relative paths of the file start here. */
  directory: string;
  homeDirectory: string | undefined;
  /** For bare KEYs of environment and build arguments. */
  environment: Lookup;
  /** Ports that may still be made out of ranges. */
  portsLeft: number;
  budget: Budget;
  /** Whether a `!reset` or `!override` was met. */
  directives: { seen: boolean };
}

/**
 * One part of the Compose file: what it may be, how its short forms are written long, and how a later file's version of it joins an
 * earlier one's. `T` is its canonical form in plain JSON.
 */
export interface Shape<T> {
  /** What is allowed, in words: "a duration such as 1m30s". */
  readonly expected: string;
  /** Null means something here; elsewhere it is as if the key were not there. */
  readonly takesNull?: boolean;
  /** The canonical node; undefined for nothing, or for what is wrong, which goes to `to.problems`. */
  decode(node: Node, to: Decoder): Node | undefined;
  /** Absent: the later one replaces the earlier one. Both are canonical. */
  merge?(base: Node, over: Node): Node;
  /** Looks for required keys, which only the merged document must have. */
  check?(node: Node, to: Decoder): void;
  /** Of a mapping with keys of its own: their shapes, in the order in which they are printed. */
  readonly keys?: ReadonlyMap<string, Shape<unknown>>;
  /** Of a list, or of a mapping from names: the shape of each. */
  readonly item?: Shape<unknown>;
  readonly type?: T;
}

export type Plain<S> = S extends Shape<infer T> ? T : never;
export type Shapes = Record<string, Shape<unknown>>;

export function wrong(node: Node, to: Decoder, expected: string, hint?: string): undefined {
  to.problems.add(node.at, to.path, `expected ${expected}, got ${describe(node)}`, hint);
  return undefined;
}

/** Decodes `node` as the value of `key`; carries directives over, drops nulls. */
export function decodeChild(shape: Shape<unknown>, key: string | number, node: Node, to: Decoder): Node | undefined {
  if (node.directive) to.directives.seen = true;
  const nothing = node.kind === "scalar" && node.value === null;
  if (node.directive === "reset" || (nothing && node.directive === "override")) return resetMarker(node);
  if (nothing && !shape.takesNull) return undefined;
  to.path.push(key);
  const decoded = shape.decode(node, to);
  to.path.pop();
  return decoded && node.directive ? { ...decoded, directive: node.directive } : decoded;
}

const resetMarker = (node: Node): ScalarNode => ({ kind: "scalar", value: null, at: node.at, directive: "reset" });

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
