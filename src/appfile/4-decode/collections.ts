import type { Json } from "../../model/service.ts";
import { mergeEntries, mergeNodes } from "../7-merge/merge-nodes.ts";
import { type Entry, list, type MapNode, map, type Node, scalar } from "../node.ts";
import { nearest } from "../suggest.ts";
import { scalarText, text } from "./scalars.ts";
import { type Decoder, decodeChild, type Plain, type Shape, type Shapes, wrong } from "./shape.ts";

/** Anything at all; a later one replaces an earlier one. For x-*. */
export const anything: Shape<Json> = { expected: "anything", takesNull: true, decode: node => node };

type ObjectOf<R extends Shapes, O extends Shapes> = { [K in keyof R]: Plain<R[K]> } & {
  [K in keyof O]?: Plain<O[K]>;
} & { [extension: `x-${string}`]: Json };

/** Keys that Compose once had, and what to write instead. */
const replaced = new Map(
  Object.entries({
    net: "network_mode",
    log_driver: "logging.driver",
    log_opt: "logging.options",
    dockerfile: "build.dockerfile",
    volume_driver: "volumes with a driver of their own",
    replicas: "deploy.replicas",
    cpu: "cpus",
    memory: "mem_limit",
    envfile: "env_file",
  }),
);

/** A mapping with keys of its own; x-* is always allowed. `what` names it in errors: "a service". */
export function object<R extends Shapes, O extends Shapes>(
  what: string,
  required: R,
  optional: O,
): Shape<ObjectOf<R, O>> {
  const shapes = new Map<string, Shape<unknown>>(Object.entries({ ...required, ...optional }));
  const shapeOf = (key: string) => shapes.get(key) ?? anything;
  const unknownKey = (key: string, entry: Entry, to: Decoder) => {
    const instead = replaced.get(key);
    const other = instead && instead.split(".")[0] !== key ? instead : undefined;
    const near = other ?? nearest(key, shapes.keys());
    const allowed = shapes.size <= 12 ? `; allowed are ${[...shapes.keys()].sort().join(", ")}` : "";
    to.path.push(key);
    const hint = near ? (other ? `use ${near}` : `did you mean ${near}?`) : undefined;
    to.problems.add(entry.at, to.path, `${what} has no key ${JSON.stringify(key)}${allowed}`, hint);
    to.path.pop();
  };
  return {
    expected: `${what} as a mapping`,
    keys: shapes,
    decode(node, to) {
      if (node.kind !== "map") return wrong(node, to, `${what} as a mapping`);
      const entries = new Map<string, Entry>();
      for (const [key, entry] of node.entries) {
        if (!shapes.has(key) && !key.startsWith("x-")) {
          unknownKey(key, entry, to);
          continue;
        }
        const value = decodeChild(shapeOf(key), key, entry.value, to);
        if (value) entries.set(key, { at: entry.at, value });
      }
      return { kind: "map", entries, at: node.at };
    },
    merge: (base, over) => mergeEntries(base as MapNode, over as MapNode, shapeOf),
    check(node, to) {
      const { entries } = node as MapNode;
      for (const key of Object.keys(required)) {
        if (!entries.has(key)) to.problems.add(node.at, to.path, `${what} needs the key ${key}`);
      }
      for (const [key, { value }] of entries) checkChild(shapeOf(key), key, value, to);
    },
  };
}

function checkChild(shape: Shape<unknown>, key: string | number, value: Node, to: Decoder): void {
  if (!shape.check || isNothing(value)) return;
  to.path.push(key);
  shape.check(value, to);
  to.path.pop();
}

const isNothing = (node: Node) => node.kind === "scalar" && node.value === null;

export const namePattern = /^[a-zA-Z0-9._-]+$/;

/** A mapping from names to things of one shape. A null thing is one with nothing said about it, where the shape allows that. */
export function mapOfShape<T>(what: string, item: Shape<T>, names: RegExp = namePattern): Shape<Record<string, T>> {
  return {
    expected: `a mapping of ${what}`,
    item,
    decode(node, to) {
      if (node.kind !== "map") return wrong(node, to, `a mapping of ${what}`);
      const entries = new Map<string, Entry>();
      for (const [key, entry] of node.entries) {
        if (!names.test(key)) {
          const hint = "use letters, digits, dots, dashes and underscores";
          to.problems.add(entry.at, to.path, `${JSON.stringify(key)} is no name for ${what}`, hint);
          continue;
        }
        if (isNothing(entry.value) && !item.takesNull && !entry.value.directive) {
          to.path.push(key);
          wrong(entry.value, to, item.expected);
          to.path.pop();
          continue;
        }
        const value = decodeChild(item, key, entry.value, to);
        if (value) entries.set(key, { at: entry.at, value });
      }
      return { kind: "map", entries, at: node.at };
    },
    merge: (base, over) => mergeEntries(base as MapNode, over as MapNode, () => item),
    check(node, to) {
      for (const [key, { value }] of (node as MapNode).entries) checkChild(item, key, value, to);
    },
  };
}

export interface ListOptions<T> {
  /** Items with the same key are one: the later one takes the earlier one's place. Default: equal single values are one. */
  keyOf?: (item: Node) => string | undefined;
  /** Join items of the same key instead of replacing. */
  join?: Shape<T>;
  /** Keep duplicates, e.g. of commands. */
  duplicates?: boolean;
  /** One that stands alone need not be in a list. */
  single?: boolean;
  /** A short form: several items for one, e.g. a range of ports. */
  expand?: (node: Node, to: Decoder) => Node[] | undefined;
}

/** A list; a later file's items are appended. */
export function listOf<T>(item: Shape<T>, options: ListOptions<T> = {}): Shape<T[]> {
  const { keyOf = scalarKey, join, duplicates = false, single = false, expand } = options;
  const expected = single ? `${item.expected}, or a list of such` : `a list of: ${item.expected}`;
  const unique = (items: Node[]): Node[] => {
    if (duplicates) return items;
    const places = new Map<string, number>();
    const kept: Node[] = [];
    for (const each of items) {
      const key = keyOf(each);
      const place = key === undefined ? undefined : places.get(key);
      if (place !== undefined) kept[place] = join ? mergeNodes(join, kept[place]!, each) : each;
      else {
        if (key !== undefined) places.set(key, kept.length);
        kept.push(each);
      }
    }
    return kept;
  };
  return {
    expected,
    item,
    decode(node, to) {
      const given = node.kind === "list" ? node.items : single ? [node] : undefined;
      if (!given) return wrong(node, to, expected);
      const items: Node[] = [];
      given.forEach((each, index) => {
        if (each.directive === "reset") return;
        to.path.push(index);
        if (expand) items.push(...(expand(each, to) ?? []));
        else if (isNothing(each)) wrong(each, to, item.expected);
        else {
          const decoded = item.decode(each, to);
          if (decoded) items.push(decoded);
        }
        to.path.pop();
      });
      return list(unique(items), node.at);
    },
    merge: (base, over) => list(unique([...items(base), ...items(over)]), over.at),
    check(node, to) {
      if (item.check) for (const [index, each] of items(node).entries()) checkChild(item, index, each, to);
    },
  };
}

const items = (node: Node) => (node.kind === "list" ? node.items : []);

function scalarKey(item: Node): string | undefined {
  return item.kind === "scalar" ? `${typeof item.value}:${item.value}` : undefined;
}

/** The value under `key` of a mapping, as text. For `ListOptions.keyOf`. */
export function keyedBy(key: string): (item: Node) => string | undefined {
  return item => {
    const value = item.kind === "map" ? item.entries.get(key)?.value : undefined;
    return value?.kind === "scalar" && value.value !== null ? String(value.value) : undefined;
  };
}

export const texts = listOf(text);
export const textOrTexts = listOf(text, { single: true });
/** Words of a command: the same one may come twice. */
export const words = listOf(text, { duplicates: true });

/** What a KEY without a value becomes: "" for labels, null (looked up later) for environment and build arguments. */
type Bare = "empty" | "null";

/** KEY=VAL pairs, as a list or a mapping. Canonical: a mapping to text (or null, where bare keys keep it). */
export function pairs(what: string, bare: "empty"): Shape<Record<string, string>>;
export function pairs(what: string, bare: "null"): Shape<Record<string, string | null>>;
export function pairs(what: string, bare: Bare): Shape<Record<string, string | null>> {
  const expected = `${what} as a mapping, or as a list of KEY=VALUE`;
  const nothing = bare === "empty" ? "" : null;
  const read = (node: Node, key: string, to: Decoder): Node | undefined => {
    if (node.directive === "reset") return decodeChild(anything, key, node, to);
    if (node.kind === "scalar") return scalar(node.value === null ? nothing : scalarText(node.value), node.at);
    to.path.push(key);
    wrong(node, to, "text, a number or a boolean");
    to.path.pop();
    return undefined;
  };
  return {
    expected,
    decode(node, to) {
      const entries = new Map<string, Entry>();
      if (node.kind === "map") {
        for (const [key, entry] of node.entries) {
          const value = read(entry.value, key, to);
          if (value) entries.set(key, { at: entry.at, value });
        }
      } else if (node.kind === "list") {
        for (const [index, item] of node.items.entries()) {
          if (item.kind !== "scalar" || item.value === null) {
            to.path.push(index);
            wrong(item, to, "KEY=VALUE");
            to.path.pop();
            continue;
          }
          const pair = scalarText(item.value);
          const equals = pair.indexOf("=");
          const key = equals < 0 ? pair : pair.slice(0, equals);
          entries.set(key, { at: item.at, value: scalar(equals < 0 ? nothing : pair.slice(equals + 1), item.at) });
        }
      } else return wrong(node, to, expected);
      return map(entries, node.at);
    },
    merge: (base, over) => mergeEntries(base as MapNode, over as MapNode, () => anything),
  };
}

/** A mapping from any key to text; no list form. */
export function options(what: string): Shape<Record<string, string>> {
  const shape = pairs(what, "empty");
  const expected = `${what} as a mapping`;
  return {
    ...shape,
    expected,
    decode: (node, to) => (node.kind === "map" ? shape.decode(node, to) : wrong(node, to, expected)),
  };
}

/** `inner`, or a short form that `long` writes out as a node of `inner` (not yet decoded). */
export function withShort<T>(
  inner: Shape<T>,
  expected: string,
  long: (node: Node, to: Decoder) => Node | undefined,
): Shape<T> {
  return {
    ...inner,
    expected,
    decode(node, to) {
      if (node.kind === "map") return inner.decode(node, to);
      const written = long(node, to);
      return written && inner.decode(written, to);
    },
  };
}
