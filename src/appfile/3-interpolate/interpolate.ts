import type { Budget } from "../budget.ts";
import { limits } from "../limits.ts";
import type { Entry, Mark, Node } from "../node.ts";
import { fail, type Problems } from "../problems.ts";
import { type Lookup, substitute, TemplateError } from "./template.ts";

export interface Interpolation {
  lookup: Lookup;
  problems: Problems;
  budget?: Budget;
  /** Told once of each name that is not set and has no default. */
  onUnset: (name: string, at: Mark) => void;
}

/** The node with every variable in its values filled in; keys are left alone. What has no variable is returned as it is. */
export function interpolate(root: Node, { lookup, problems, budget, onUnset }: Interpolation): Node {
  const path: (string | number)[] = [];
  let length = 0;

  const text = (template: string, at: Mark): string => {
    try {
      const filled = substitute(template, lookup, name => onUnset(name, at));
      length += filled.length;
      budget?.spend(0, filled.length, at);
      if (length > limits.interpolatedLength) fail(at, path, "with all variables filled in, the file is too large");
      return filled;
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      problems.add(within(at, template, error.offset), path, error.message, error.hint);
      return "";
    }
  };

  const visit = (node: Node): Node => {
    if (node.kind === "scalar") {
      if (typeof node.value !== "string" || !node.value.includes("$")) return node;
      return { ...node, value: text(node.value, node.at) };
    }
    return node.kind === "map" ? visitMap(node) : visitList(node);
  };

  const visitMap = (node: Node & { kind: "map" }): Node => {
    let changed: Map<string, Entry> | undefined;
    for (const [key, entry] of node.entries) {
      path.push(key);
      const value = visit(entry.value);
      path.pop();
      if (value !== entry.value) (changed ??= new Map(node.entries)).set(key, { at: entry.at, value });
    }
    return changed ? { ...node, entries: changed } : node;
  };

  const visitList = (node: Node & { kind: "list" }): Node => {
    let changed: Node[] | undefined;
    node.items.forEach((item, index) => {
      path.push(index);
      const value = visit(item);
      path.pop();
      if (value !== item) (changed ??= [...node.items])[index] = value;
    });
    return changed ? { ...node, items: changed } : node;
  };

  return visit(root);
}

/** The place of a character of a value, where the value stands in the text as it is. */
function within(at: Mark, template: string, offset: number): Mark {
  const { text } = at.source;
  const quote = text[at.offset] === '"' || text[at.offset] === "'" ? 1 : 0;
  return text.startsWith(template, at.offset + quote) ? { ...at, offset: at.offset + quote + offset } : at;
}
