import { type Entry, map, mapOf, type Node, scalar } from "../node.ts";
import { mapOfShape, object, options, textOrTexts, texts, withShort } from "./collections.ts";
import { bool, integer, oneOf, text, textLike } from "./scalars.ts";
import { type Decoder, type Plain, type Shape, wrong } from "./shape.ts";

/** A list of names, as a mapping from them to what `value` makes. */
function namesAsMap(node: Node, to: Decoder, value: (at: Node["at"]) => Node): Node | undefined {
  const names = textOrTexts.decode(node, to);
  if (node.kind !== "list" || names?.kind !== "list") return undefined;
  const made = new Map<string, Entry>();
  for (const { at, ...name } of names.items) {
    if (name.kind === "scalar") made.set(String(name.value), { at, value: value(at) });
  }
  return map(made, node.at);
}

const expectedDependencies = "a list of services, or a mapping from services to conditions";

const dependency = object(
  "a dependency",
  { condition: oneOf("service_started", "service_healthy", "service_completed_successfully") },
  { restart: bool, required: bool },
);

export const dependsOn = withShort(mapOfShape("services", dependency), expectedDependencies, (node, to) =>
  node.kind === "list"
    ? namesAsMap(node, to, at => mapOf({ condition: scalar("service_started", at) }, at))
    : wrong(node, to, expectedDependencies),
);

const network = {
  ...object(
    "a network's place",
    {},
    {
      aliases: texts,
      interface_name: text,
      ipv4_address: textLike("an IPv4 address", /^[\d.]+$/),
      ipv6_address: textLike("an IPv6 address", /^[0-9a-fA-F:.]+$/),
      link_local_ips: texts,
      mac_address: text,
      driver_opts: options("driver options"),
      priority: integer(),
      gw_priority: integer(),
    },
  ),
};
type NetworkPlace = Plain<typeof network>;

/** Null is a place with nothing said about it; it does not clear what an earlier file said. */
const networkPlace: Shape<NetworkPlace | null> = {
  ...network,
  takesNull: true,
  decode: (node, to) => (node.kind === "scalar" && node.value === null ? node : network.decode(node, to)),
  merge(base, over) {
    if (over.kind === "scalar") return base;
    return base.kind === "scalar" ? over : network.merge!(base, over);
  },
};

export const networks = withShort(
  mapOfShape("networks", networkPlace),
  "a list of networks, or a mapping from networks to places in them",
  (node, to) =>
    node.kind === "list"
      ? namesAsMap(node, to, at => scalar(null, at))
      : wrong(node, to, "a list of networks, or a mapping from networks to places in them"),
);

const modelUse = object("a model's use", {}, { endpoint_var: text, model_var: text });
const modelUseOrNull: Shape<Plain<typeof modelUse> | null> = {
  ...modelUse,
  takesNull: true,
  decode: (node, to) =>
    node.kind === "scalar" && node.value === null ? mapOf({}, node.at) : modelUse.decode(node, to),
};

export const serviceModels = withShort(
  mapOfShape("models", modelUseOrNull),
  "a list of models, or a mapping",
  (node, to) =>
    node.kind === "list"
      ? namesAsMap(node, to, at => mapOf({}, at))
      : wrong(node, to, "a list of models, or a mapping"),
);
