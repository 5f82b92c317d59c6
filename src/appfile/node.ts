/** A value of an app file together with where it was written. Nodes are never changed once made: several aliases may share one. */

export interface SourceText {
  /** As shown to the user: absolute, or "-" for the standard input. */
  path: string;
  text: string;
}

export interface Mark {
  source: SourceText;
  /** In UTF-16 units from the start of the text. */
  offset: number;
}

export type Scalar = string | number | boolean | null;

/** `!reset` removes what earlier files gave; `!override` replaces it instead of merging. */
export type Directive = "reset" | "override";

interface NodeBase {
  at: Mark;
  directive?: Directive;
}

export interface ScalarNode extends NodeBase {
  kind: "scalar";
  value: Scalar;
}

export interface ListNode extends NodeBase {
  kind: "list";
  items: Node[];
}

export interface Entry {
  /** Of the key. */
  at: Mark;
  value: Node;
}

export interface MapNode extends NodeBase {
  kind: "map";
  entries: Map<string, Entry>;
}

export type Node = ScalarNode | ListNode | MapNode;

export type Path = readonly (string | number)[];

export function scalar(value: Scalar, at: Mark): ScalarNode {
  return { kind: "scalar", value, at };
}

export function list(items: Node[], at: Mark): ListNode {
  return { kind: "list", items, at };
}

export function map(entries: Iterable<[string, Entry]>, at: Mark): MapNode {
  return { kind: "map", entries: new Map(entries), at };
}

/** A mapping from values made at one place. */
export function mapOf(values: Record<string, Node | undefined>, at: Mark): MapNode {
  const entries = new Map<string, Entry>();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) entries.set(key, { at: value.at, value });
  return { kind: "map", entries, at };
}

export function without(node: MapNode, ...keys: string[]): MapNode {
  if (!keys.some(key => node.entries.has(key))) return node;
  return { ...node, entries: new Map([...node.entries].filter(([key]) => !keys.includes(key))) };
}

export function childOf(node: Node | undefined, key: string | number): Node | undefined {
  if (node?.kind === "map") return node.entries.get(String(key))?.value;
  return node?.kind === "list" && typeof key === "number" ? node.items[key] : undefined;
}

export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}

/** The mark of what stands at `path`, or of the nearest thing around it: the key where there is one. */
export function markAt(root: Node, path: Path): Mark {
  let node = root;
  let mark = root.at;
  for (const key of path) {
    if (node.kind === "map") mark = node.entries.get(String(key))?.at ?? mark;
    const next = childOf(node, key);
    if (!next) return mark;
    node = next;
    if (typeof key === "number") mark = next.at;
  }
  return mark;
}

/** A path as people write it: services.web.ports[0]. */
export function showPath(path: Path): string {
  let shown = "";
  for (const key of path) shown += typeof key === "number" ? `[${key}]` : shown === "" ? key : `.${key}`;
  return shown;
}

/** What a value is, in words. */
export function describe(node: Node): string {
  if (node.kind === "map") return "a mapping";
  if (node.kind === "list") return "a list";
  const { value } = node;
  if (value === null) return "nothing";
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  return `the ${typeof value} ${value}`;
}
