import { posix } from "node:path";
import { readEnvFiles } from "../1-locate/locate.ts";
import { namePattern } from "../4-decode/collections.ts";
import { document } from "../4-decode/document.ts";
import { absolutePath, isRemote } from "../4-decode/paths.ts";
import { mergeNodes } from "../7-merge/merge-nodes.ts";
import { limits } from "../limits.ts";
import { childOf, type MapNode, type Mark, type Node, without } from "../node.ts";
import { toPlain } from "../plain.ts";
import { fail } from "../problems.ts";
import type { Scope } from "../scope.ts";
import { nest } from "./nest.ts";

/** One entry of `include` or `x-berth.include`, canonical. */
interface Include {
  path: string[];
  project_directory?: string;
  env_file?: string[];
  name?: string;
  params?: Record<string, string>;
}

type Build = (paths: readonly string[], scope: Scope) => MapNode;

/** Everything that a decoded document includes, merged in order; undefined for nothing. */
export function includeAll(decoded: MapNode, scope: Scope, build: Build): MapNode | undefined {
  const entries = [
    ...itemsOf(childOf(decoded, "include")),
    ...itemsOf(childOf(childOf(decoded, "x-berth"), "include")),
  ];
  let merged: MapNode | undefined;
  for (const entry of entries) {
    // Shapes have seen to it that the entry is one; the path may be missing still.
    const model = includeOne(toPlain(entry) as unknown as Include, entry.at, scope, build);
    if (model) merged = merged ? (mergeNodes(document, merged, model) as MapNode) : model;
  }
  return merged;
}

const itemsOf = (node: Node | undefined) => (node?.kind === "list" ? node.items : []);

function includeOne(include: Include, at: Mark, scope: Scope, build: Build): MapNode | undefined {
  const { name } = include;
  if (!include.path?.length) {
    scope.problems.add(at, ["include"], "an include needs the key path");
    return undefined;
  }
  if (name !== undefined && !namePattern.test(name)) {
    scope.problems.add(
      at,
      ["x-berth", "include"],
      `${JSON.stringify(name)} is no name`,
      "use letters, digits, dots, dashes, underscores",
    );
    return undefined;
  }
  const remote = include.path.find(isRemote);
  if (remote !== undefined) {
    scope.problems.add(at, ["include"], `${remote} is not on this host; Berth includes files only`, "fetch it first");
    return undefined;
  }
  const paths = include.path.map(path => absolutePath(path, scope));
  const key = paths.join(",");
  if (scope.trail.includes(key)) fail(at, ["include"], `the include goes round: ${[...scope.trail, key].join(" -> ")}`);
  if (scope.trail.length >= limits.nesting)
    fail(at, ["include"], `includes are nested more than ${limits.nesting} deep`);
  const missing = paths.find(path => !scope.reader.read(path));
  if (missing !== undefined) {
    scope.problems.add(at, ["include"], `there is no file ${missing}`);
    return undefined;
  }
  const model = build(paths, innerScope(include, paths, key, scope));
  const part = without(model, "name", "version", "include", "x-berth");
  return name === undefined ? part : nest(part, name);
}

function innerScope(include: Include, paths: string[], key: string, scope: Scope): Scope {
  const directory = include.project_directory ?? posix.dirname(paths[0]!);
  const given = include.env_file?.map(path => absolutePath(path, scope));
  const fromFiles = readEnvFiles(
    given ?? [posix.join(directory, ".env")],
    scope.reader,
    scope.environment,
    given !== undefined,
  );
  const isApp = include.name !== undefined;
  return {
    ...scope,
    directory,
    environment: { ...fromFiles, ...scope.environment },
    prefix: isApp ? `${scope.prefix}${include.name}.` : scope.prefix,
    bound: include.params ?? (isApp ? {} : scope.bound),
    outer: isApp ? () => undefined : scope.outer,
    trail: [...scope.trail, key],
    documents: new Map(),
  };
}
