/** Attributes with short forms of their own, each a few lines. */
import { isIP } from "node:net";
import { list, mapOf, type Node, scalar } from "../node.ts";
import { keyedBy, listOf, mapOfShape, object, options, pairs, textOrTexts, texts, withShort } from "./collections.ts";
import { command } from "./commands.ts";
import { hostPath } from "./paths.ts";
import { bool, integer, numberedText, oneOf, scalarText, text, textLike } from "./scalars.ts";
import { type Decoder, type Shape, wrong } from "./shape.ts";

/** A list of names, as a mapping from them to what `value` makes. */
function namesAsMap(node: Node, to: Decoder, value: (at: Node["at"]) => Node): Node | undefined {
  const names = textOrTexts.decode(node, to);
  if (node.kind !== "list" || names?.kind !== "list") return undefined;
  const made: Record<string, Node> = {};
  for (const name of names.items)
    if (name.kind === "scalar") made[String(name.value)] = { ...value(name.at), at: name.at };
  return mapOf(made, node.at);
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
type NetworkPlace = typeof network extends Shape<infer T> ? T : never;

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
const modelUseOrNull: Shape<(typeof modelUse extends Shape<infer T> ? T : never) | null> = {
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

/** `HOST=ADDRESS` or `HOST:ADDRESS`. Canonical: a list of `HOST=ADDRESS`; one host may have several addresses. */
export const extraHosts: Shape<string[]> = {
  expected: "a list of HOST=ADDRESS, or a mapping from hosts to addresses",
  decode(node, to) {
    const found: Node[] = [];
    const put = (host: string, address: string, from: Node) => {
      const plain = address.replace(/^\[(.*)\]$/, "$1");
      if (plain !== "host-gateway" && isIP(plain) === 0) wrong(from, to, `an IP address or host-gateway for ${host}`);
      else found.push(scalar(`${host}=${plain}`, from.at));
    };
    if (node.kind === "map") {
      for (const [host, { value }] of node.entries) {
        for (const each of value.kind === "list" ? value.items : [value]) {
          put(host, each.kind === "scalar" ? scalarText(each.value) : "", each);
        }
      }
    } else if (node.kind === "list") {
      for (const item of node.items) {
        const match = /^([^=:]+)[=:](.*)$/.exec(item.kind === "scalar" ? scalarText(item.value) : "");
        if (match) put(match[1]!, match[2]!, item);
        else wrong(item, to, "HOST=ADDRESS");
      }
    } else return wrong(node, to, extraHosts.expected);
    return hostList.decode(list(found, node.at), to);
  },
  merge: (base, over) => hostList.merge!(base, over),
};
const hostList = listOf(text);

const longEnvFile = object("an env file", { path: hostPath }, { required: bool, format: oneOf("raw") });

export const envFiles = listOf(
  withShort(longEnvFile, "the path of an env file, or a mapping", (node, to) =>
    node.kind === "scalar" && typeof node.value === "string"
      ? mapOf({ path: node, required: scalar(true, node.at) }, node.at)
      : wrong(node, to, "the path of an env file, or a mapping"),
  ),
  { single: true, keyOf: keyedBy("path") },
);

export const labelFiles = listOf(hostPath, { single: true });

const hookKeys = { user: numberedText, privileged: bool, working_dir: text, environment: pairs("variables", "null") };
export const hook = object("a hook", { command }, hookKeys);
export const hooks = listOf(hook);
export const startHooks = listOf(object("a hook", { command }, { ...hookKeys, image: text, per_replica: bool }));

const deviceKeys = {
  driver: text,
  count: {
    ...integer(-1),
    expected: 'a number, or "all"',
    decode: (node: Node, to: Decoder) =>
      node.kind === "scalar" && node.value === "all" ? scalar(-1, node.at) : integer(-1).decode(node, to),
  },
  device_ids: texts,
  options: pairs("options", "empty"),
};
export const deviceRequests = listOf(object("a device request", { capabilities: texts }, deviceKeys));

const gpuList = listOf(object("a GPU request", {}, { ...deviceKeys, capabilities: texts }));
export const gpus: typeof gpuList = {
  ...gpuList,
  expected: '"all", or a list of GPU requests',
  decode(node, to) {
    if (node.kind === "list") return gpuList.decode(node, to);
    if (node.kind !== "scalar" || node.value !== "all") return wrong(node, to, gpus.expected);
    return list([mapOf({ count: scalar(-1, node.at) }, node.at)], node.at);
  },
};

const loggingShape = object("logging", {}, { driver: text, options: options("options") });
/** Options merge only for the same driver, or where one of the two names none. */
export const logging: typeof loggingShape = {
  ...loggingShape,
  merge(base, over) {
    const driver = (node: Node) => {
      const value = node.kind === "map" ? node.entries.get("driver")?.value : undefined;
      return value?.kind === "scalar" ? value.value : undefined;
    };
    const [before, after] = [driver(base), driver(over)];
    return before === after || before === undefined || after === undefined ? loggingShape.merge!(base, over) : over;
  },
};
