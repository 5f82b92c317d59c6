import { type Node, scalar } from "../node.ts";
import { berthTop, include, orEmpty } from "./berth.ts";
import { keyedBy, listOf, mapOfShape, object, options, pairs, texts } from "./collections.ts";
import { absolutePath, hostPath } from "./paths.ts";
import { anyText, bool, integer, text } from "./scalars.ts";
import { service } from "./service.ts";
import { type Decoder, type Plain, type Shape, wrong } from "./shape.ts";

const externalName = object("external", {}, { name: text });

/** external: true, or the older { name }; canonical: a boolean, with the name moved out by `moveExternalName`. */
const external: Shape<boolean> = {
  expected: "true or false",
  decode: (node, to) => (node.kind === "map" ? externalName.decode(node, to) : bool.decode(node, to)),
};

/** `external: { name: x }` as `external: true, name: x`. */
function moveExternalName<T>(shape: Shape<T>): Shape<T> {
  return {
    ...shape,
    decode(node, to) {
      const decoded = shape.decode(node, to);
      const given = decoded?.kind === "map" ? decoded.entries.get("external") : undefined;
      if (decoded?.kind !== "map" || given?.value.kind !== "map") return decoded;
      const entries = new Map(decoded.entries).set("external", { at: given.at, value: scalar(true, given.value.at) });
      const name = given.value.entries.get("name");
      if (name && entries.has("name")) wrong(given.value, to, "the name to be given once, with the key name");
      else if (name) entries.set("name", name);
      return { ...decoded, entries };
    },
  };
}

const pool = object(
  "an address pool",
  {},
  { subnet: text, ip_range: text, gateway: text, aux_addresses: options("addresses") },
);

const common = { name: text, external, labels: pairs("labels", "empty") };

const network = object(
  "a network",
  {},
  {
    ...common,
    driver: text,
    driver_opts: options("driver options"),
    ipam: object(
      "ipam",
      {},
      { driver: text, config: listOf(pool, { keyOf: keyedBy("subnet"), join: pool }), options: options("options") },
    ),
    internal: bool,
    attachable: bool,
    enable_ipv4: bool,
    enable_ipv6: bool,
  },
);

const volume = object("a volume", {}, { ...common, driver: text, driver_opts: options("driver options") });

/** A local volume with `o: bind` is a directory of the host: its path starts at the file, too. */
const volumeWithPath: typeof volume = {
  ...volume,
  decode(node: Node, to: Decoder) {
    const decoded = volume.decode(node, to);
    const given = decoded?.kind === "map" ? decoded.entries.get("driver_opts")?.value : undefined;
    if (decoded?.kind !== "map" || given?.kind !== "map") return decoded;
    const [o, device] = [given.entries.get("o")?.value, given.entries.get("device")];
    const isBind =
      o?.kind === "scalar" &&
      String(o.value)
        .split(",")
        .some(word => word === "bind" || word === "rbind");
    if (!isBind || device?.value.kind !== "scalar" || device.value.value === "") return decoded;
    const path = scalar(absolutePath(String(device.value.value), to), device.value.at);
    const optionEntries = new Map(given.entries).set("device", { at: device.at, value: path });
    const entries = new Map(decoded.entries).set("driver_opts", {
      at: given.at,
      value: { ...given, entries: optionEntries },
    });
    return { ...decoded, entries };
  },
};

const fileKeys = { ...common, file: hostPath, environment: text, template_driver: text };
const secret = object("a secret", {}, { ...fileKeys, driver: text, driver_opts: options("driver options") });
const config = object("a config", {}, { ...fileKeys, content: text });
const model = object("a model", { model: text }, { name: text, context_size: integer(0), runtime_flags: texts });

/** A whole Compose file. */
export const document = object(
  "an app file",
  {},
  {
    version: anyText,
    name: text,
    include,
    services: mapOfShape("services", orEmpty(service)),
    networks: mapOfShape("networks", orEmpty(moveExternalName(network))),
    volumes: mapOfShape("volumes", orEmpty(moveExternalName(volumeWithPath))),
    secrets: mapOfShape("secrets", orEmpty(moveExternalName(secret))),
    configs: mapOfShape("configs", orEmpty(moveExternalName(config))),
    models: mapOfShape("models", model),
    "x-berth": berthTop,
  },
);

export type ComposeDocument = Plain<typeof document>;
export type ComposeNetwork = Plain<typeof network>;
export type ComposeVolume = Plain<typeof volume>;
export type ComposeSecret = Plain<typeof secret>;
export type ComposeConfig = Plain<typeof config>;
