import { posix } from "node:path";
import { mapOf, type Node, scalar } from "../node.ts";
import { keyedBy, listOf, object, pairs, withShort } from "./collections.ts";
import { absolutePath } from "./paths.ts";
import { bool, fileMode, oneOf, size, text } from "./scalars.ts";
import { type Decoder, type Plain, type Shape, wrong } from "./shape.ts";

const expectedMount = 'a mount such as "data:/var/lib/data" or "./conf:/etc/conf:ro", or a mapping';

const longMount = object(
  "a mount",
  { type: oneOf("bind", "volume", "tmpfs", "cluster", "npipe", "image") },
  {
    source: text,
    target: text,
    read_only: bool,
    consistency: text,
    bind: object(
      "bind",
      {},
      {
        propagation: oneOf("private", "rprivate", "shared", "rshared", "slave", "rslave"),
        create_host_path: bool,
        recursive: oneOf("enabled", "disabled", "writable", "readonly"),
        selinux: oneOf("z", "Z"),
      },
    ),
    volume: object("volume", {}, { labels: pairs("labels", "empty"), nocopy: bool, subpath: text }),
    tmpfs: object("tmpfs", {}, { size, mode: fileMode }),
    image: object("image", {}, { subpath: text }),
  },
);

type Mount = Plain<typeof longMount>;

const mount: Shape<Mount> = {
  ...longMount,
  expected: expectedMount,
  decode(node, to) {
    const long = node.kind === "map" ? node : parseShort(node, to);
    const decoded = long && longMount.decode(long, to);
    return decoded?.kind === "map" ? complete(decoded, to) : undefined;
  },
};

/** A mount takes the place of an earlier one at the same target. */
export const mounts = listOf(mount, { keyOf: keyedBy("target") });

/** Paths made absolute and clean; `bind`, `volume` and the like present for their type, with the default that a bind is made if absent. */
function complete(node: Node & { kind: "map" }, to: Decoder): Node {
  const entries = new Map(node.entries);
  const value = (key: string) => {
    const found = entries.get(key)?.value;
    return found?.kind === "scalar" ? String(found.value) : undefined;
  };
  const put = (key: string, made: Node) => entries.set(key, { at: entries.get(key)?.at ?? node.at, value: made });
  const [type, source, target] = [value("type"), value("source"), value("target")];
  if (target === undefined && type !== undefined) to.problems.add(node.at, to.path, "a mount needs the key target");
  if (target !== undefined) put("target", scalar(cleanTarget(target), entries.get("target")!.value.at));
  if (type === "bind" && source !== undefined)
    put("source", scalar(absolutePath(source, to), entries.get("source")!.value.at));
  if (type === "bind") {
    const bind = entries.get("bind")?.value;
    const options = new Map(bind?.kind === "map" ? bind.entries : []);
    if (!options.has("create_host_path"))
      options.set("create_host_path", { at: node.at, value: scalar(true, node.at) });
    put("bind", { kind: "map", entries: options, at: bind?.at ?? node.at });
  }
  if (type === "volume" && !entries.has("volume")) put("volume", mapOf({}, node.at));
  return { ...node, entries };
}

const cleanTarget = (target: string) =>
  /^[a-zA-Z]:\\/.test(target) ? target : posix.normalize(target).replace(/(.)\/+$/, "$1");

/** `[SOURCE:]TARGET[:OPTION[,OPTION…]]`. A source that starts with ".", "/" or "~" is a path of the host, another a volume. */
function parseShort(node: Node, to: Decoder): Node | undefined {
  if (node.kind !== "scalar" || typeof node.value !== "string" || node.value === "")
    return wrong(node, to, expectedMount);
  const parts = node.value.split(/:(?!\\)/);
  if (parts.length > 3) return wrong(node, to, expectedMount, "there is a colon too many; write it as a mapping");
  const [source, target, optionText] = parts.length === 1 ? [undefined, parts[0]!, undefined] : parts;
  if (target === "" || source === "") return wrong(node, to, expectedMount, "source or target is empty");
  const { at } = node;
  const isPath = source !== undefined && /^([./~]|[a-zA-Z]:\\)/.test(source);
  const fields: Record<string, Node | undefined> = {
    type: scalar(isPath ? "bind" : "volume", at),
    source: source === undefined ? undefined : scalar(source, at),
    target: scalar(target!, at),
  };
  const details: Record<string, Node> = {};
  for (const option of (optionText ?? "").split(",").filter(word => word !== "")) {
    const known = applyOption(option, isPath, fields, details, at);
    if (!known) return wrong(node, to, expectedMount, `${JSON.stringify(option)} is no mount option`);
  }
  fields[isPath ? "bind" : "volume"] = mapOf(details, at);
  return mapOf(fields, at);
}

function applyOption(
  option: string,
  isPath: boolean,
  fields: Record<string, Node | undefined>,
  details: Record<string, Node>,
  at: Node["at"],
): boolean {
  if (option === "ro") fields["read_only"] = scalar(true, at);
  else if (option === "nocopy" && !isPath) details["nocopy"] = scalar(true, at);
  else if (["cached", "delegated", "consistent"].includes(option)) fields["consistency"] = scalar(option, at);
  else if (!["rw", "nocopy"].includes(option) && !/^(z|Z|r?(private|shared|slave))$/.test(option)) return false;
  else if (/^z$/i.test(option) && isPath) details["selinux"] = scalar(option, at);
  else if (/^r?(private|shared|slave)$/.test(option) && isPath) details["propagation"] = scalar(option, at);
  return true;
}

const longDevice = object("a device", { source: text }, { target: text, permissions: text });

/** `SOURCE[:TARGET[:PERMISSIONS]]`, or a CDI name such as vendor.com/gpu=0. */
export const devices = listOf(
  withShort(longDevice, 'a device such as "/dev/ttyUSB0:/dev/ttyUSB0:rwm", or a mapping', (node, to) => {
    if (node.kind !== "scalar" || typeof node.value !== "string")
      return wrong(node, to, "a device as text or a mapping");
    const parts = node.value.split(":");
    if (parts.length > 3 || parts.some(part => part === "")) return wrong(node, to, 'a device such as "/dev/fuse"');
    const [source, target = source, permissions = "rwm"] = parts;
    return mapOf(
      { source: scalar(source!, node.at), target: scalar(target!, node.at), permissions: scalar(permissions, node.at) },
      node.at,
    );
  }),
  { keyOf: item => keyedBy("target")(item) ?? keyedBy("source")(item) },
);
