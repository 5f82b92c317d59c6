import type { Directive, Entry, Node, SourceText } from "../node.ts";
import { blockScalar } from "./block-scalar.ts";
import { Expansion, mergeInto, mergeSources } from "./expansion.ts";
import { plainScalar } from "./plain-scalar.ts";
import { Bail, type Cursor, parseFlow, quoted } from "./quick-flow.ts";

/**
 * Reads the YAML that app files are written in, some ten times as fast as the `yaml` package: block mappings and lists, scalars on one
 * line, block scalars, flow collections, anchors, aliases, merge keys, `!reset` and `!override`. For all else, and for every error, the
 * answer is undefined: the package then reads the text, and says what is wrong. Both give the same nodes; a test compares them.
 */
export function parseQuick(source: SourceText): Node | undefined {
  if (/[\t\r\uFEFF\u0085\u2028\u2029]|^(?:%|\.\.\.)/m.test(source.text)) return undefined;
  try {
    return new QuickParser(source).parse();
  } catch (error) {
    if (error === Bail) return undefined;
    throw error;
  }
}

const keyAt = /([A-Za-z0-9_.<$/][^\s:#"'[\]{},&*!|>%@`]*) *:(?=[ \n]|$)/y;
const quotedKeyAt = /(?:"([^"\\\n]*)"|'([^'\n]*)') *:(?=[ \n]|$)/y;
const anchorAt = /&([^\s,[\]{}]+)/y;
const aliasAt = /\*([^\s,[\]{}]+)/y;
const tagAt = /!(reset|override)(?=[ \n]|$)/y;

interface Key {
  text: string;
  /** Offset of what follows the colon. */
  end: number;
  plain: boolean;
}

class QuickParser implements Cursor {
  readonly text: string;
  readonly expansion: Expansion;
  /** Start of the line at hand. */
  line = 0;

  constructor(source: SourceText) {
    this.text = source.text;
    this.expansion = new Expansion(source);
  }

  parse(): Node | undefined {
    if (/^---(?= *(?:#.*)?$)/m.exec(this.text)?.index === 0) this.nextLine(0);
    // A second document, or one that starts on its marker's line.
    if (this.text.slice(this.line).search(/^---/m) >= 0) throw Bail;
    const indent = this.indent();
    if (indent < 0) return undefined;
    const node = this.root(indent);
    if (this.indent() >= 0) throw Bail;
    return node;
  }

  /** The whole document: JSON is YAML, too. */
  root(indent: number): Node {
    const at = this.line + indent;
    if (this.text[at] !== "{") return this.block(indent, 0);
    const { node, end } = parseFlow(this, at, -1, 0);
    this.endLine(end);
    return node;
  }

  /** Columns before the next line that is neither blank nor a comment, which becomes the line at hand; -1 at the end. */
  indent(): number {
    const { text } = this;
    while (this.line < text.length) {
      let at = this.line;
      while (text[at] === " ") at++;
      if (at >= text.length) return -1;
      if (text[at] !== "\n" && text[at] !== "#") return at - this.line;
      this.nextLine(at);
    }
    return -1;
  }

  nextLine(from: number): void {
    const end = this.text.indexOf("\n", from);
    this.line = end < 0 ? this.text.length : end + 1;
  }

  /** The mapping or list that starts at this column of the line at hand. */
  block(indent: number, depth: number): Node {
    return this.isItem(this.line + indent) ? this.list(indent, depth) : this.map(indent, depth, this.line + indent);
  }

  isItem(at: number): boolean {
    const next = this.text[at + 1];
    return this.text[at] === "-" && (next === " " || next === "\n" || next === undefined);
  }

  list(indent: number, depth: number): Node {
    const start = this.line + indent;
    this.expansion.count(1, 0, depth, start);
    const items: Node[] = [];
    while (this.indent() === indent && this.isItem(this.line + indent)) {
      let at = this.line + indent + 1;
      while (this.text[at] === " ") at++;
      if (this.isItem(at)) throw Bail;
      items.push(this.key(at) ? this.map(at - this.line, depth + 1, at) : this.value(at, indent, depth + 1, false));
    }
    if (this.indent() > indent) throw Bail;
    return { kind: "list", items, at: this.expansion.mark(start) };
  }

  /** A mapping whose first key stands at `start`, on the line at hand. */
  map(indent: number, depth: number, start: number): Node {
    this.expansion.count(1, 0, depth, start);
    const entries = new Map<string, Entry>();
    let merged: Node[] | undefined;
    let at = start;
    do {
      const key = this.key(at);
      if (!key || key.text === "__proto__" || (key.plain && plainScalar(key.text) === null)) throw Bail;
      this.expansion.count(1, key.text.length, depth + 1, at);
      const value = this.value(key.end, indent, depth + 1, true);
      if (key.plain && key.text === "<<") {
        const sources = mergeSources(value);
        if (!sources) throw Bail;
        merged = [...(merged ?? []), ...sources];
      } else if (entries.has(key.text)) throw Bail;
      else entries.set(key.text, { at: this.expansion.mark(at), value });
      const next = this.indent();
      if (next > indent) throw Bail;
      if (next < indent) break;
      at = this.line + indent;
    } while (!this.isItem(at));
    if (merged) mergeInto(entries, merged);
    return { kind: "map", entries, at: this.expansion.mark(start) };
  }

  key(at: number): Key | undefined {
    keyAt.lastIndex = at;
    const plain = keyAt.exec(this.text);
    if (plain) return { text: plain[1]!, end: keyAt.lastIndex, plain: true };
    if (this.text[at] !== '"' && this.text[at] !== "'") return undefined;
    quotedKeyAt.lastIndex = at;
    const match = quotedKeyAt.exec(this.text);
    return match ? { text: match[1] ?? match[2] ?? "", end: quotedKeyAt.lastIndex, plain: false } : undefined;
  }

  /** What follows a colon or dash at `at`; ends with the line at hand being the first after it. `parent` is the column of the key. */
  value(at: number, parent: number, depth: number, inMap: boolean): Node {
    const start = this.skipSpaces(at);
    anchorAt.lastIndex = start;
    const anchor = this.text[start] === "&" ? anchorAt.exec(this.text) : undefined;
    if (!anchor) return this.tagged(start, parent, depth, inMap);
    const end = anchorAt.lastIndex;
    return this.expansion.anchor(anchor[1]!, depth, () => this.tagged(this.skipSpaces(end), parent, depth, inMap));
  }

  tagged(at: number, parent: number, depth: number, inMap: boolean): Node {
    if (this.text[at] !== "!") return this.bare(at, parent, depth, inMap);
    tagAt.lastIndex = at;
    const tag = tagAt.exec(this.text);
    if (!tag) throw Bail;
    const node = this.bare(this.skipSpaces(tagAt.lastIndex), parent, depth, inMap);
    return { ...node, directive: tag[1] as Directive };
  }

  bare(at: number, parent: number, depth: number, inMap: boolean): Node {
    const { text, expansion } = this;
    const char = text[at];
    if (char === undefined || char === "\n" || (char === "#" && text[at - 1] === " "))
      return this.below(at, parent, depth, inMap);
    if (char === "[" || char === "{") {
      const flow = parseFlow(this, at, parent, depth);
      this.endLine(flow.end);
      return flow.node;
    }
    if (char === '"' || char === "'") {
      const { value, end } = quoted(text, at);
      expansion.count(1, value.length, depth, at);
      this.endLine(end);
      return { kind: "scalar", value, at: expansion.mark(at) };
    }
    if (char === "|" || char === ">") {
      const { value, end } = blockScalar(text, at, parent);
      expansion.count(1, value.length, depth, at);
      this.line = end;
      return { kind: "scalar", value, at: expansion.mark(at) };
    }
    if (char === "*") {
      aliasAt.lastIndex = at;
      const name = aliasAt.exec(text)?.[1];
      const node = name === undefined ? undefined : expansion.alias(name, depth, at);
      if (!node) throw Bail;
      this.endLine(aliasAt.lastIndex);
      return node;
    }
    return this.plain(at, parent, depth);
  }

  /** A value that starts on a line of its own, or is not there. A list may stand right under its key. */
  below(at: number, parent: number, depth: number, inMap: boolean): Node {
    this.nextLine(at);
    const indent = this.indent();
    if (indent > parent) {
      // Scalars and flow collections on a line of their own are rare.
      if (!this.isItem(this.line + indent) && !this.key(this.line + indent)) throw Bail;
      return this.block(indent, depth);
    }
    if (inMap && indent === parent && this.isItem(this.line + indent)) return this.list(indent, depth);
    this.expansion.count(1, 0, depth, at);
    return { kind: "scalar", value: null, at: this.expansion.mark(at) };
  }

  /** A plain scalar on one line. */
  plain(at: number, parent: number, depth: number): Node {
    const { text, expansion } = this;
    if (/[,\]}#&*!%@`]/.test(text[at]!) || (/[-?:]/.test(text[at]!) && /^[\s]?$/.test(text[at + 1] ?? ""))) throw Bail;
    const lineEnd = text.indexOf("\n", at);
    const whole = text.slice(at, lineEnd < 0 ? text.length : lineEnd);
    this.line = at + whole.length + (lineEnd < 0 ? 0 : 1);
    const comment = whole.indexOf(" #");
    const value = (comment < 0 ? whole : whole.slice(0, comment)).trimEnd();
    if (value.includes(": ") || value.endsWith(":")) throw Bail;
    // More text below would belong to it.
    if (this.indent() > parent) throw Bail;
    expansion.count(1, value.length, depth, at);
    return { kind: "scalar", value: plainScalar(value), at: expansion.mark(at) };
  }

  /** Nothing but a comment may follow on the line. */
  endLine(at: number): void {
    const end = this.skipSpaces(at);
    const char = this.text[end];
    if (char !== undefined && char !== "\n" && !(char === "#" && end > at)) throw Bail;
    this.nextLine(end);
  }

  skipSpaces(from: number): number {
    let at = from;
    while (this.text[at] === " ") at++;
    return at;
  }
}
