import { list, mapOf, type Node, scalar } from "../node.ts";
import { listOf, mapOfShape, object, pairs, texts, withShort } from "./collections.ts";
import { extraHosts } from "./extra-hosts.ts";
import { secretGrants } from "./grants.ts";
import { absolutePath, isRemote, pathOrRemote } from "./paths.ts";
import { anyText, bool, integer, size, text } from "./scalars.ts";
import { type Shape, wrong } from "./shape.ts";

const longUlimit = object("a limit", { soft: integer(-1), hard: integer(-1) }, {});
const number = integer(-1);

/** One number for both, or soft and hard. */
const ulimit: Shape<number | { soft: number; hard: number }> = {
  expected: "a number, or soft and hard",
  decode: (node, to) => (node.kind === "map" ? longUlimit : number).decode(node, to),
  merge: (base, over) => (base.kind === "map" && over.kind === "map" ? longUlimit.merge!(base, over) : over),
  check: (node, to) => (node.kind === "map" ? longUlimit.check!(node, to) : undefined),
};

export const ulimits = mapOfShape("limits", ulimit, /^[a-z]+$/);

const contextPairs = pairs("contexts", "empty");
/** Paths among the values are made absolute; services, images and URLs stay. */
const additionalContexts: typeof contextPairs = {
  ...contextPairs,
  decode(node, to) {
    const decoded = contextPairs.decode(node, to);
    if (decoded?.kind !== "map") return decoded;
    const entries = new Map(decoded.entries);
    for (const [key, { at, value }] of entries) {
      if (value.kind !== "scalar" || typeof value.value !== "string" || isRemote(value.value)) continue;
      entries.set(key, { at, value: { ...value, value: absolutePath(value.value, to) } });
    }
    return { ...decoded, entries };
  },
};

/** `default`, `ID` or `ID=PATH`. Canonical: a list of these. */
const sshPairs = pairs("SSH keys", "empty");
const ssh: Shape<string[]> = {
  expected: "a list of default or ID=PATH",
  decode(node, to) {
    const decoded = sshPairs.decode(node.kind === "scalar" ? list([node], node.at) : node, to);
    if (decoded?.kind !== "map") return undefined;
    const items: Node[] = [];
    for (const [id, { value }] of decoded.entries) {
      const path = value.kind === "scalar" ? String(value.value) : "";
      const paths = path.split(",").map(each => absolutePath(each, to));
      items.push(scalar(path === "" ? id : `${id}=${paths.join(",")}`, value.at));
    }
    return list(items, node.at);
  },
};

const longBuild = object(
  "a build",
  {},
  {
    context: pathOrRemote,
    dockerfile: text,
    dockerfile_inline: text,
    entitlements: texts,
    args: pairs("arguments", "null"),
    ssh,
    labels: pairs("labels", "empty"),
    cache_from: texts,
    cache_to: texts,
    no_cache: bool,
    no_cache_filter: listOf(text, { single: true }),
    additional_contexts: additionalContexts,
    network: text,
    provenance: anyText,
    sbom: anyText,
    pull: bool,
    target: text,
    shm_size: size,
    extra_hosts: extraHosts,
    isolation: text,
    privileged: bool,
    secrets: secretGrants,
    tags: texts,
    ulimits,
    platforms: texts,
  },
);

export const build = withShort(longBuild, "the path of a build context, or a mapping", (node, to) =>
  node.kind === "scalar" && typeof node.value === "string"
    ? mapOf({ context: node }, node.at)
    : wrong(node, to, "the path of a build context, or a mapping"),
);
