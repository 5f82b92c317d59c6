import type { ParamSpec, ParamType } from "../../model/app.ts";
import { interpolate } from "../3-interpolate/interpolate.ts";
import { type Lookup, lookupIn } from "../3-interpolate/template.ts";
import { orEmpty, param, paramNames } from "../4-decode/berth.ts";
import { mapOfShape } from "../4-decode/collections.ts";
import { mergeNodes, settle } from "../7-merge/merge-nodes.ts";
import { childOf, type Mark, type Node } from "../node.ts";
import { toPlain } from "../plain.ts";
import { decoder, type Scope } from "../scope.ts";
import { isPattern, normalValue, parseBound, valueProblem } from "./value.ts";

const shape = mapOfShape("parameters", orEmpty(param), paramNames);
type Declared = (typeof param)["type"];

/** The parameters that these documents declare under x-berth.params, resolved; names that are no parameters give undefined. */
export function declareParams(documents: readonly Node[], scope: Scope): Lookup {
  let merged: Node | undefined;
  for (const document of documents) {
    const given = childOf(childOf(document, "x-berth"), "params");
    if (given?.kind !== "map") continue;
    // Defaults and bounds may use variables, but no parameters.
    const filled = interpolate(given, {
      lookup: lookupIn(scope.environment),
      problems: scope.problems,
      onUnset() {},
    });
    const to = decoder(scope);
    to.path.push("x-berth", "params");
    const decoded = shape.decode(filled, to);
    if (decoded) merged = merged ? mergeNodes(shape, merged, decoded) : decoded;
  }
  const values = new Map<string, string>();
  if (merged?.kind !== "map") return () => undefined;
  for (const [name, { at, value }] of (settle(merged) as typeof merged).entries) {
    const spec = specOf(name, toPlain(value) as NonNullable<Declared>, at, scope);
    values.set(name, scope.params.resolve(spec, lookupIn(scope.bound)(name), at));
  }
  return name => values.get(name);
}

function specOf(name: string, declared: NonNullable<Declared>, at: Mark, scope: Scope): ParamSpec {
  const path = ["x-berth", "params", name];
  const type: ParamType = declared.type ?? (declared.values ? "enum" : "string");
  const problem = (message: string, hint?: string) => scope.problems.add(at, path, message, hint);
  const bound = (key: "min" | "max") => {
    const text = declared[key];
    const number = text === undefined ? undefined : parseBound(type, text);
    if (text !== undefined && number === undefined)
      problem(`${key} is ${JSON.stringify(text)}, which is no bound for type ${type}`);
    return number;
  };
  if (type === "enum" && !declared.values?.length) problem("a parameter of type enum needs the key values");
  if (declared.values && type !== "enum") problem(`values are for type enum, not ${type}`);
  const pattern = declared.pattern;
  if (pattern !== undefined && !isPattern(pattern))
    problem(`${JSON.stringify(pattern)} is no pattern`, "use RE2 syntax");
  const spec: ParamSpec = {
    name: scope.prefix + name,
    type,
    description: declared.description,
    default: declared.default === undefined ? undefined : normalValue(type, declared.default),
    values: declared.values,
    pattern: pattern !== undefined && isPattern(pattern) ? pattern : undefined,
    min: bound("min"),
    max: bound("max"),
    hidden: declared.hidden,
  };
  const wrong = spec.default === undefined ? undefined : valueProblem(spec, spec.default);
  if (wrong) problem(`the default does not fit: ${wrong}`);
  return spec;
}
