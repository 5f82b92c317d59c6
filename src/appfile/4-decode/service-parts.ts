import type { Json } from "../../model/service.ts";
import { mapOf, type Node } from "../node.ts";
import { anything, listOf, mapOfShape, object, textOrTexts, withShort } from "./collections.ts";
import { hook } from "./hooks.ts";
import { hostPath, pathOrRemote } from "./paths.ts";
import { bool, oneOf, text } from "./scalars.ts";
import { type Decoder, type Shape, wrong } from "./shape.ts";

export const extendsShape = withShort(
  object("extends", { service: text }, { file: pathOrRemote }),
  "the name of a service, or a mapping with service and file",
  (node, to) =>
    node.kind === "scalar" && typeof node.value === "string"
      ? mapOf({ service: node }, node.at)
      : wrong(node, to, "the name of a service, or a mapping with service and file"),
);

const rule = object(
  "a watch rule",
  { path: hostPath, action: oneOf("rebuild", "sync", "restart", "sync+restart", "sync+exec") },
  { target: text, ignore: textOrTexts, include: textOrTexts, exec: hook, initial_sync: bool },
);

/** A rule with a list of paths is one rule for each. */
export const watch = listOf(rule, {
  expand(node: Node, to: Decoder) {
    const paths = node.kind === "map" ? node.entries.get("path")?.value : undefined;
    const each = node.kind === "map" && paths?.kind === "list" ? paths.items : undefined;
    const nodes = each && node.kind === "map" ? each.map(path => withPath(node, path)) : [node];
    return nodes.map(one => rule.decode(one, to)).filter(made => made !== undefined);
  },
});

function withPath(node: Node & { kind: "map" }, path: Node): Node {
  return { ...node, entries: new Map(node.entries).set("path", { at: path.at, value: path }) };
}

/** Parsed, and refused by name when it is to run. */
export const provider = object(
  "a provider",
  { type: text },
  { options: mapOfShape("options", anything as Shape<Json>, /^.+$/s) },
);
