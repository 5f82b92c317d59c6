import { BerthError } from "../base/errors.ts";
import { parseYaml } from "./2-parse/parse-yaml.ts";
import { interpolate } from "./3-interpolate/interpolate.ts";
import { lookupIn } from "./3-interpolate/template.ts";
import { document } from "./4-decode/document.ts";
import { includeAll } from "./5-include/include.ts";
import { applyExtends } from "./6-extends/extends.ts";
import { mergeNodes, settle } from "./7-merge/merge-nodes.ts";
import { bindBareKeys } from "./8-resolve/bare-keys.ts";
import { sizeOf } from "./budget.ts";
import { type MapNode, mapOf, type Node, type SourceText, without } from "./node.ts";
import { declareParams } from "./params/declare.ts";
import { fail } from "./problems.ts";
import { decoder, type Scope } from "./scope.ts";

/** The files as parsed documents, in order. Throws `not_found` for a file that is not there. */
export function parseFiles(paths: readonly string[], scope: Scope): Node[] {
  const documents: Node[] = [];
  for (const path of paths) {
    const source = scope.reader.read(path);
    if (!source) {
      throw new BerthError("not_found", `reading the app file ${path}: there is no such file`, {
        hint: "check -f, include and extends",
      });
    }
    const parsed = parseYaml(source, scope.problems);
    scope.problems.throwIfAny();
    if (parsed.length === 0) fail({ source, offset: 0 }, [], "the file is empty", "an app file has at least services:");
    for (const each of parsed)
      if (each.kind !== "map") fail(each.at, [], "an app file is a mapping", notCompose(source));
    for (const each of parsed) scope.budget.spend(sizeOf(each), 0, each.at);
    // A file costs something even when it is nearly empty.
    scope.budget.spend(costOfFile, source.text.length, { source, offset: 0 });
    documents.push(...parsed);
  }
  return documents;
}

const costOfFile = 500;

const notCompose = ({ path }: SourceText) => `is ${path} the right file?`;

/** One app out of its documents: each interpolated, decoded, with what it includes and extends, and merged over those before it. */
export function buildModel(documents: readonly Node[], scope: Scope): MapNode {
  const params = declareParams(documents, scope);
  const inner: Scope = { ...scope, outer: name => params(name) ?? scope.outer(name) };
  let model: MapNode | undefined;
  for (const parsed of documents) {
    const to = decoder(inner);
    const decoded = document.decode(fillIn(parsed, inner), to);
    if (decoded?.kind !== "map") continue;
    const included = includeAll(decoded, inner, buildIncluded);
    const rest = without(decoded, "include");
    const local = included ? (mergeNodes(document, included, rest) as MapNode) : rest;
    const extended = applyExtends(local, model, inner, readDocuments);
    model = model ? (mergeNodes(document, model, extended) as MapNode) : extended;
  }
  if (!model) {
    scope.problems.throwIfAny();
    return mapOf({}, documents[0]!.at);
  }
  const settled = scope.directives.seen ? (settle(model) as MapNode) : model;
  return bindBareKeys(settled, inner.environment);
}

function buildIncluded(paths: readonly string[], scope: Scope): MapNode {
  return buildModel(parseFiles(paths, scope), scope);
}

/** A document with its variables filled in: parameters first, then the environment. */
export function fillIn(parsed: Node, scope: Scope): Node {
  const environment = lookupIn(scope.environment);
  return interpolate(parsed, {
    lookup: name => scope.outer(name) ?? environment(name),
    problems: scope.problems,
    budget: scope.budget,
    onUnset(name, at) {
      if (scope.unset.has(name)) return;
      scope.unset.add(name);
      scope.problems.warn(
        at,
        [],
        `the variable ${name} is not set; it stands for nothing`,
        `set it, or write \${${name}:-} if that is meant`,
      );
    },
  });
}

/** For extends: the documents of another file, filled in, read once. */
function readDocuments(path: string, scope: Scope): Node[] {
  const known = scope.documents.get(path);
  if (known) return known;
  const documents = parseFiles([path], scope).map(parsed => fillIn(parsed, scope));
  scope.documents.set(path, documents);
  return documents;
}
