import { limits } from "../limits.ts";
import type { Entry, Mark, Node, SourceText } from "../node.ts";
import { fail } from "../problems.ts";

/** An anchored value, with what writing it out once more costs. */
interface Anchored {
  /** Absent while it is being read. */
  node?: Node;
  nodes: number;
  length: number;
  height: number;
}

/** What reading one document adds up to once all aliases are written out. They are shared, never copied, but others will walk them. */
export class Expansion {
  readonly source: SourceText;
  readonly #anchors = new Map<string, Anchored>();
  #nodes = 0;
  #length = 0;
  #deepest = 0;

  constructor(source: SourceText) {
    this.source = source;
  }

  /** Throws `invalid` for what is nested too deep, or is a YAML bomb. `depth` counts from 0 at the top. */
  count(nodes: number, length: number, depth: number, offset: number): void {
    this.#nodes += nodes;
    this.#length += length;
    if (depth > this.#deepest) this.#deepest = depth;
    if (this.#deepest > limits.depth) fail(this.mark(offset), [], `values are nested more than ${limits.depth} deep`);
    if (this.#nodes <= limits.nodes && this.#length <= limits.expandedLength) return;
    const message = `written out, the aliases of this file make more than ${limits.nodes} values`;
    fail(this.mark(offset), [], message, "it looks like a YAML bomb; use fewer aliases of aliases");
  }

  /** Reads the value of an anchor. A later anchor of the same name takes over. */
  anchor(name: string, depth: number, read: () => Node): Node {
    const [nodes, length, deepest] = [this.#nodes, this.#length, this.#deepest];
    const record: Anchored = { nodes: 0, length: 0, height: 0 };
    this.#anchors.set(name, record);
    this.#deepest = depth;
    const node = read();
    record.nodes = this.#nodes - nodes;
    record.length = this.#length - length;
    record.height = this.#deepest - depth;
    record.node = node;
    this.#deepest = Math.max(this.#deepest, deepest);
    return node;
  }

  /** What an alias stands for; undefined where there is no such anchor. */
  alias(name: string, depth: number, offset: number): Node | undefined {
    const record = this.#anchors.get(name);
    if (!record) return undefined;
    if (!record.node) fail(this.mark(offset), [], `the alias *${name} stands inside the value that it repeats`);
    this.count(record.nodes, record.length, depth + record.height, offset);
    return record.node;
  }

  mark(offset: number): Mark {
    return { source: this.source, offset };
  }
}

/** The merge key: own keys win over merged ones, earlier sources over later ones (yaml.org/type/merge.html). */
export function mergeInto(entries: Map<string, Entry>, sources: readonly Node[]): void {
  for (const source of sources) {
    if (source.kind !== "map") continue;
    for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
  }
}

/** The mappings of a merge key's value; undefined when it is none of mapping or list of mappings. */
export function mergeSources(value: Node): Node[] | undefined {
  const sources = value.kind === "list" ? value.items : [value];
  return sources.every(({ kind }) => kind === "map") ? sources : undefined;
}
