import { isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode, type YAMLMap } from "yaml";
import { limits } from "../limits.ts";
import type { Directive, Entry, Mark, Node, SourceText } from "../node.ts";
import { fail, lineAndColumn, type Problems } from "../problems.ts";
import { plainScalar } from "./plain-scalar.ts";

/** An anchored value, with what writing it out once more costs. */
interface Anchored {
  node?: Node;
  nodes: number;
  length: number;
  height: number;
}

interface State {
  source: SourceText;
  problems: Problems;
  anchors: Map<string, Anchored>;
  /** Totals with all aliases written out. */
  nodes: number;
  length: number;
  /** Deepest level met. */
  deepest: number;
}

/** A composed document as our nodes: aliases resolved (shared, never copied), merge keys applied, plain scalars typed. */
export function convertDocument(contents: ParsedNode | null, source: SourceText, problems: Problems): Node {
  return convert(contents, 0, { source, problems, anchors: new Map(), nodes: 0, length: 0, deepest: 0 });
}

type Source = ParsedNode | null | undefined;

function convert(node: Source, depth: number, state: State): Node {
  const at: Mark = { source: state.source, offset: node?.range?.[0] ?? 0 };
  if (!node) return { kind: "scalar", value: null, at };
  if (isAlias(node)) return useAnchor(node.source, depth, at, state);
  const anchor = node.anchor;
  if (anchor === undefined) return convertHere(node, depth, at, state);

  const outer = { ...state };
  const record: Anchored = { nodes: 0, length: 0, height: 0 };
  state.anchors.set(anchor, record);
  state.deepest = depth;
  const converted = convertHere(node, depth, at, state);
  record.nodes = state.nodes - outer.nodes;
  record.length = state.length - outer.length;
  record.height = state.deepest - depth;
  record.node = converted;
  state.deepest = Math.max(state.deepest, outer.deepest);
  return converted;
}

function useAnchor(name: string, depth: number, at: Mark, state: State): Node {
  const record = state.anchors.get(name);
  if (!record) {
    state.problems.add(at, [], `the alias *${name} has no anchor &${name} before it`);
    return { kind: "scalar", value: null, at };
  }
  if (!record.node) fail(at, [], `the alias *${name} stands inside the value that it repeats`);
  count(state, record.nodes, record.length, depth + record.height, at);
  return record.node;
}

function convertHere(node: NonNullable<Source>, depth: number, at: Mark, state: State): Node {
  const directive = directiveOf(node.tag);
  if (isMap(node)) {
    count(state, 1, 0, depth, at);
    return { kind: "map", entries: convertEntries(node, depth, state), at, directive };
  }
  if (isSeq(node)) {
    count(state, 1, 0, depth, at);
    const items = node.items.map(item => convert(item as Source, depth + 1, state));
    return { kind: "list", items, at, directive };
  }
  const text = isScalar(node) ? String(node.value ?? "") : "";
  count(state, 1, text.length, depth, at);
  const typed = isScalar(node) && (node.type === "PLAIN" ? !isTextTag(node.tag) : isNumberTag(node.tag));
  return { kind: "scalar", value: typed ? plainScalar(text) : text, at, directive };
}

const isTextTag = (tag: string | undefined) => tag === "tag:yaml.org,2002:str" || tag === "!";
const isNumberTag = (tag: string | undefined) => /^tag:yaml\.org,2002:(int|float|bool|null)$/.test(tag ?? "");

function directiveOf(tag: string | undefined): Directive | undefined {
  return tag === "!reset" ? "reset" : tag === "!override" ? "override" : undefined;
}

function count(state: State, nodes: number, length: number, depth: number, at: Mark): void {
  state.nodes += nodes;
  state.length += length;
  state.deepest = Math.max(state.deepest, depth);
  if (state.deepest > limits.depth) fail(at, [], `values are nested more than ${limits.depth} deep`);
  if (state.nodes > limits.nodes || state.length > limits.expandedLength) {
    fail(
      at,
      [],
      `written out, the aliases of this file make more than ${limits.nodes} values`,
      "it looks like a YAML bomb; use fewer aliases of aliases",
    );
  }
}

function convertEntries(node: YAMLMap.Parsed, depth: number, state: State): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const merged: Node[] = [];
  for (const pair of node.items as Pair<ParsedNode, ParsedNode | null>[]) {
    const keyNode = convert(pair.key, depth + 1, state);
    const at: Mark = { source: state.source, offset: pair.key?.range?.[0] ?? 0 };
    if (keyNode.kind !== "scalar" || keyNode.value === null) {
      state.problems.add(at, [], "a key must be text");
      continue;
    }
    const written = isScalar(pair.key) ? pair.key : undefined;
    const key = written ? String(written.value) : String(keyNode.value);
    const value = convert(pair.value, depth + 1, state);
    if (key === "<<" && written?.type === "PLAIN") {
      merged.push(...mergeSources(value, at, state));
      continue;
    }
    const first = entries.get(key);
    if (first) {
      const { line } = lineAndColumn(first.at);
      state.problems.add(at, [], `the key ${JSON.stringify(key)} is given twice; it stands on line ${line} already`);
    } else entries.set(key, { at, value });
  }
  // Own keys win over merged ones, earlier sources over later ones (YAML merge key type, yaml.org/type/merge.html).
  for (const source of merged) {
    if (source.kind !== "map") continue;
    for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
  }
  return entries;
}

function mergeSources(value: Node, at: Mark, state: State): Node[] {
  const sources = value.kind === "list" ? value.items : [value];
  const wrong = sources.find(({ kind }) => kind !== "map");
  if (wrong) state.problems.add(at, [], "the merge key << takes a mapping, or a list of mappings");
  return wrong ? [] : sources;
}
