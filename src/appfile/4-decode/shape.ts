import type { Lookup } from "../3-interpolate/template.ts";
import type { Budget } from "../budget.ts";
import { describe, type Node, type ScalarNode } from "../node.ts";
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
