import { type Entry, list, type MapNode, mapOf, type Node, scalar } from "../node.ts";

/**
 * A whole app as a part of another one: services, networks, volumes, secrets, configs and models get `name-` before their names, and
 * all that refers to them follows. Its services still know each other by their old names: each has its old name as an alias in the
 * app's own networks. Those in its default network also join that of the outer app, where they have the new name only.
 */
export function nest(given: MapNode, name: string): MapNode {
  const model = withDefaultNetwork(given);
  const renamed = (key: string) => `${name}-${key}`;
  const entries = new Map<string, Entry>();
  for (const [section, entry] of model.entries) {
    const { at, value } = entry;
    if (value.kind !== "map" || !sections.has(section)) entries.set(section, entry);
    else {
      const inner = renameKeys(value, renamed);
      const made =
        section === "services"
          ? mapValues(inner, (key, node) => nestService(node, key.slice(name.length + 1), renamed))
          : inner;
      entries.set(section, { at, value: section === "services" ? made : mapValues(made, keepExternalName(name)) });
    }
  }
  return { ...model, entries };
}

/** The app's own default network, declared; where nobody joins it, it is dropped later. */
function withDefaultNetwork(model: MapNode): MapNode {
  const networks = model.entries.get("networks")?.value;
  const declared = networks?.kind === "map" ? networks : mapOf({}, model.at);
  return declared.entries.has("default")
    ? model
    : with_(model, "networks", with_(declared, "default", mapOf({}, model.at)));
}

const sections = new Set(["services", "networks", "volumes", "secrets", "configs", "models"]);

type Rename = (key: string) => string;

function renameKeys(node: MapNode, renamed: Rename): MapNode {
  return { ...node, entries: new Map([...node.entries].map(([key, entry]) => [renamed(key), entry])) };
}

function mapValues(node: MapNode, change: (key: string, value: Node) => Node): MapNode {
  return {
    ...node,
    entries: new Map([...node.entries].map(([key, { at, value }]) => [key, { at, value: change(key, value) }])),
  };
}

/** What is external has its key for a name: that must stay the old one. */
function keepExternalName(name: string) {
  return (key: string, node: Node): Node => {
    if (node.kind !== "map" || node.entries.has("name")) return node;
    const external = node.entries.get("external")?.value;
    if (external?.kind !== "scalar" || external.value !== true) return node;
    return with_(node, "name", scalar(key.slice(name.length + 1), node.at));
  };
}

function with_(node: MapNode, key: string, value: Node): MapNode {
  return { ...node, entries: new Map(node.entries).set(key, { at: value.at, value }) };
}

/** `change` applied to the value of `key`, where there is one. */
function change(node: MapNode, key: string, apply: (value: Node) => Node): MapNode {
  const entry = node.entries.get(key);
  return entry
    ? { ...node, entries: new Map(node.entries).set(key, { at: entry.at, value: apply(entry.value) }) }
    : node;
}

const onMap = (apply: (node: MapNode) => Node) => (node: Node) => (node.kind === "map" ? apply(node) : node);
const onItems = (apply: (node: Node) => Node) => (node: Node) =>
  node.kind === "list" ? { ...node, items: node.items.map(apply) } : node;
const onText = (apply: (text: string) => string) => (node: Node) =>
  node.kind === "scalar" && typeof node.value === "string" ? { ...node, value: apply(node.value) } : node;

function nestService(node: Node, oldName: string, renamed: Rename): Node {
  if (node.kind !== "map") return node;
  const names = onMap(map => renameKeys(map, renamed));
  const reference = onText(text => (text.startsWith("service:") ? `service:${renamed(text.slice(8))}` : text));
  let service = nestNetworks(node, oldName, renamed);
  for (const key of ["depends_on", "models"]) service = change(service, key, names);
  for (const key of ["network_mode", "ipc", "pid", "uts", "cgroup"]) service = change(service, key, reference);
  service = change(service, "links", onItems(onText(link => nestLink(link, renamed))));
  service = change(
    service,
    "volumes_from",
    onItems(onText(from => (from.startsWith("container:") ? from : renamed(from)))),
  );
  service = change(service, "volumes", onItems(onMap(mount => nestMount(mount, renamed))));
  service = change(service, "secrets", onItems(onMap(grant => nestGrant(grant, "/run/secrets/", renamed))));
  service = change(service, "configs", onItems(onMap(grant => nestGrant(grant, "/", renamed))));
  service = change(
    service,
    "credential_spec",
    onMap(spec => change(spec, "config", onText(renamed))),
  );
  return change(
    service,
    "build",
    onMap(build => {
      const contexts = onMap(map => mapValues(map, (_, value) => reference(value)));
      const secrets = onItems(onMap(grant => nestGrant(grant, "", renamed)));
      return change(change(build, "additional_contexts", contexts), "secrets", secrets);
    }),
  );
}

function nestLink(link: string, renamed: Rename): string {
  const [service = "", alias = service] = link.split(":");
  return `${renamed(service)}:${alias}`;
}

function nestMount(mount: MapNode, renamed: Rename): MapNode {
  const type = mount.entries.get("type")?.value;
  return type?.kind === "scalar" && type.value === "volume" ? change(mount, "source", onText(renamed)) : mount;
}

/** The place in the container, which goes by the old name, is written down before the source gets the new one. */
function nestGrant(grant: MapNode, directory: string, renamed: Rename): MapNode {
  const source = grant.entries.get("source")?.value;
  if (source?.kind !== "scalar") return grant;
  const placed = grant.entries.has("target")
    ? grant
    : with_(grant, "target", scalar(`${directory}${source.value}`, grant.at));
  return change(placed, "source", onText(renamed));
}

function nestNetworks(service: MapNode, oldName: string, renamed: Rename): MapNode {
  if (service.entries.has("network_mode")) return service;
  const { at } = service;
  const given = service.entries.get("networks")?.value;
  const places = given?.kind === "map" && given.entries.size > 0 ? given : mapOf({ default: scalar(null, at) }, at);
  const alias = (place: Node): Node => {
    const map = place.kind === "map" ? place : mapOf({}, place.at);
    const aliases = map.entries.get("aliases")?.value;
    return with_(
      map,
      "aliases",
      list([...(aliases?.kind === "list" ? aliases.items : []), scalar(oldName, place.at)], place.at),
    );
  };
  const inner = mapValues(renameKeys(places, renamed), (_, place) => alias(place));
  return with_(service, "networks", places.entries.has("default") ? with_(inner, "default", scalar(null, at)) : inner);
}
