import { isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode, type YAMLMap } from "yaml";
import type { Directive, Entry, Node, SourceText } from "../node.ts";
import { lineAndColumn, type Problems } from "../problems.ts";
import { Expansion, mergeInto, mergeSources } from "./expansion.ts";
import { plainScalar } from "./plain-scalar.ts";

/** A composed document as our nodes: aliases resolved, merge keys applied, plain scalars typed. */
export function convertDocument(contents: ParsedNode | null, source: SourceText, problems: Problems): Node {
  return convert(contents, 0, { expansion: new Expansion(source), problems });
}

interface State {
  expansion: Expansion;
  problems: Problems;
}

type Source = ParsedNode | null | undefined;

function convert(node: Source, depth: number, state: State): Node {
  const { expansion, problems } = state;
  const offset = node?.range?.[0] ?? 0;
  const at = expansion.mark(offset);
  if (!node) return { kind: "scalar", value: null, at };
  if (!isAlias(node)) {
    if (node.anchor === undefined) return convertHere(node, depth, state);
    return expansion.anchor(node.anchor, depth, () => convertHere(node, depth, state));
  }
  const found = expansion.alias(node.source, depth, offset);
  if (found) return found;
  problems.add(at, [], `the alias *${node.source} has no anchor &${node.source} before it`);
  return { kind: "scalar", value: null, at };
}

function convertHere(node: NonNullable<Source>, depth: number, state: State): Node {
  const { expansion } = state;
  const offset = node.range?.[0] ?? 0;
  const at = expansion.mark(offset);
  const directive = directiveOf(node.tag);
  if (isMap(node)) {
    expansion.count(1, 0, depth, offset);
    return { kind: "map", entries: convertEntries(node, depth, state), at, directive };
  }
  if (isSeq(node)) {
    expansion.count(1, 0, depth, offset);
    const items = node.items.map(item => convert(item as Source, depth + 1, state));
    return { kind: "list", items, at, directive };
  }
  const text = isScalar(node) ? String(node.value ?? "") : "";
  expansion.count(1, text.length, depth, offset);
  const typed = isScalar(node) && (node.type === "PLAIN" ? !isTextTag(node.tag) : isNumberTag(node.tag));
  return { kind: "scalar", value: typed ? plainScalar(text) : text, at, directive };
}

const isTextTag = (tag: string | undefined) => tag === "tag:yaml.org,2002:str" || tag === "!";
const isNumberTag = (tag: string | undefined) => /^tag:yaml\.org,2002:(int|float|bool|null)$/.test(tag ?? "");

function directiveOf(tag: string | undefined): Directive | undefined {
  return tag === "!reset" ? "reset" : tag === "!override" ? "override" : undefined;
}

function convertEntries(node: YAMLMap.Parsed, depth: number, state: State): Map<string, Entry> {
  const { problems } = state;
  const entries = new Map<string, Entry>();
  const merged: Node[] = [];
  for (const pair of node.items as Pair<ParsedNode, ParsedNode | null>[]) {
    const keyNode = convert(pair.key, depth + 1, state);
    const at = state.expansion.mark(pair.key?.range?.[0] ?? 0);
    if (keyNode.kind !== "scalar" || keyNode.value === null) {
      problems.add(at, [], "a key must be text");
      continue;
    }
    const written = isScalar(pair.key) ? pair.key : undefined;
    const key = written ? String(written.value) : String(keyNode.value);
    const value = convert(pair.value, depth + 1, state);
    if (key === "__proto__") {
      problems.add(at, [], "a key cannot be __proto__");
      continue;
    }
    if (key === "<<" && written?.type === "PLAIN") {
      const sources = mergeSources(value);
      if (sources) merged.push(...sources);
      else problems.add(at, [], "the merge key << takes a mapping, or a list of mappings");
      continue;
    }
    const first = entries.get(key);
    if (first) {
      const { line } = lineAndColumn(first.at);
      problems.add(at, [], `the key ${JSON.stringify(key)} is given twice; it stands on line ${line} already`);
    } else entries.set(key, { at, value });
  }
  mergeInto(entries, merged);
  return entries;
}
