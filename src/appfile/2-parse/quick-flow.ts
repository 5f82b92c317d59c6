import type { Entry, Node } from "../node.ts";
import type { Expansion } from "./expansion.ts";
import { plainScalar } from "./plain-scalar.ts";

/** Thrown by the quick parser, and caught by it: the text is not for it. */
export const Bail = new Error("not for the quick parser");

export interface Cursor {
  text: string;
  expansion: Expansion;
  /** Start of the line at hand. */
  line: number;
}

interface Parsed {
  node: Node;
  /** Offset after it. */
  end: number;
}

/** A flow collection, `[…]` or `{…}`, on one line or several; further lines must stand deeper than column `parent`. */
export function parseFlow(cursor: Cursor, at: number, parent: number, depth: number): Parsed {
  return cursor.text[at] === "[" ? flowList(cursor, at, parent, depth) : flowMap(cursor, at, parent, depth);
}

function flowList(cursor: Cursor, start: number, parent: number, depth: number): Parsed {
  const { text, expansion } = cursor;
  expansion.count(1, 0, depth, start);
  const items: Node[] = [];
  let at = skip(cursor, start + 1, parent);
  while (text[at] !== "]") {
    const { node, end } = flowValue(cursor, at, parent, depth + 1);
    items.push(node);
    at = separator(cursor, end, parent, "]");
  }
  return { node: { kind: "list", items, at: expansion.mark(start) }, end: at + 1 };
}

function flowMap(cursor: Cursor, start: number, parent: number, depth: number): Parsed {
  const { text, expansion } = cursor;
  expansion.count(1, 0, depth, start);
  const entries = new Map<string, Entry>();
  let at = skip(cursor, start + 1, parent);
  while (text[at] !== "}") {
    const isQuoted = text[at] === '"' || text[at] === "'";
    const keyStart = at;
    const key = isQuoted ? quoted(text, at) : plainText(text, at);
    if (
      key.value === "<<" ||
      key.value === "__proto__" ||
      entries.has(key.value) ||
      (!isQuoted && plainScalar(key.value) === null)
    )
      throw Bail;
    expansion.count(1, key.value.length, depth + 1, at);
    at = key.end;
    while (text[at] === " ") at++;
    if (text[at] !== ":" || !(isQuoted || /^[\s,}]?$/.test(text[at + 1] ?? ""))) throw Bail;
    const valueStart = skip(cursor, at + 1, parent);
    const { node, end } = flowMapValue(cursor, valueStart, parent, depth + 1);
    entries.set(key.value, { at: expansion.mark(keyStart), value: node });
    at = separator(cursor, end, parent, "}");
  }
  return { node: { kind: "map", entries, at: expansion.mark(start) }, end: at + 1 };
}

function flowMapValue(cursor: Cursor, at: number, parent: number, depth: number): Parsed {
  const { text, expansion } = cursor;
  if (text[at] !== "," && text[at] !== "}") return flowValue(cursor, at, parent, depth);
  expansion.count(1, 0, depth, at);
  return { node: { kind: "scalar", value: null, at: expansion.mark(at) }, end: at };
}

/** From the end of an item to the next one, or to the closing bracket. */
function separator(cursor: Cursor, end: number, parent: number, close: string): number {
  const at = skip(cursor, end, parent);
  if (cursor.text[at] === close) return at;
  if (cursor.text[at] !== ",") throw Bail;
  return skip(cursor, at + 1, parent);
}

function flowValue(cursor: Cursor, at: number, parent: number, depth: number): Parsed {
  const { text, expansion } = cursor;
  const char = text[at];
  if (char === "[" || char === "{") return parseFlow(cursor, at, parent, depth);
  if (char === "*") {
    const name = /^[^\s,[\]{}]+/.exec(text.slice(at + 1, at + 129))?.[0] ?? "";
    const node = expansion.alias(name, depth, at);
    if (!node) throw Bail;
    return { node, end: at + 1 + name.length };
  }
  const isQuoted = char === '"' || char === "'";
  const { value, end } = isQuoted ? quoted(text, at) : plainText(text, at);
  expansion.count(1, value.length, depth, at);
  return { node: { kind: "scalar", value: isQuoted ? value : plainScalar(value), at: expansion.mark(at) }, end };
}

/** Spaces, comments and line ends. */
function skip(cursor: Cursor, from: number, parent: number): number {
  const { text } = cursor;
  let at = from;
  for (;;) {
    while (text[at] === " ") at++;
    if (text[at] === "#") {
      if (text[at - 1] !== " " && text[at - 1] !== "\n") throw Bail;
      at = text.indexOf("\n", at);
      if (at < 0) throw Bail;
    }
    if (text[at] === undefined) throw Bail;
    if (text[at] !== "\n") return at;
    const line = ++at;
    while (text[at] === " ") at++;
    if (text[at] !== "\n" && at - line <= parent) throw Bail;
    cursor.line = line;
  }
}

/** A plain scalar in a flow collection, on one line. */
function plainText(text: string, start: number): { value: string; end: number } {
  if (!/[A-Za-z0-9_./$+~<=^()\\-]/.test(text[start] ?? "")) throw Bail;
  if (text[start] === "-" && /^[\s,[\]{}]?$/.test(text[start + 1] ?? "")) throw Bail;
  let at = start;
  for (; at < text.length; at++) {
    const char = text[at]!;
    if (char === "," || char === "]" || char === "}") break;
    if (char === "[" || char === "{" || char === "\n") throw Bail;
    if (char === "#" && text[at - 1] === " ") throw Bail;
    if (char === ":" && /^[\s,[\]{}]?$/.test(text[at + 1] ?? "")) break;
  }
  let end = at;
  while (text[end - 1] === " ") end--;
  return { value: text.slice(start, end), end };
}

const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\", "/": "/" };

/** A quoted scalar on one line. */
export function quoted(text: string, start: number): { value: string; end: number } {
  const quote = text[start]!;
  const found = text.indexOf(quote, start + 1);
  const lineEnd = text.indexOf("\n", start);
  if (found < 0 || (lineEnd >= 0 && found > lineEnd)) throw Bail;
  const simple = text.slice(start + 1, found);
  if (quote === "'" ? text[found + 1] !== "'" : !simple.includes("\\")) return { value: simple, end: found + 1 };
  let value = "";
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at]!;
    if (char === "\n") throw Bail;
    if (quote === '"' && char === "\\") {
      const meant = escapes[text[++at] ?? ""];
      if (meant === undefined) throw Bail;
      value += meant;
    } else if (char !== quote) value += char;
    else if (quote === "'" && text[at + 1] === "'") value += text[at++];
    else return { value, end: at + 1 };
  }
  throw Bail;
}
