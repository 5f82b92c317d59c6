import { lookupIn } from "../3-interpolate/template.ts";
import { type Entry, type MapNode, type Node, scalar } from "../node.ts";

/** Bare KEYs of services' environment and build arguments get the value that the environment has for them; others stay null. */
export function bindBareKeys(model: MapNode, environment: Record<string, string>): MapNode {
  return at(model, "services", services => each(services, service => bindService(service, environment)));
}

function bindService(service: MapNode, environment: Record<string, string>): MapNode {
  const lookup = lookupIn(environment);
  const bind = (pairs: MapNode): MapNode => {
    let bound: Map<string, Entry> | undefined;
    for (const [key, entry] of pairs.entries) {
      const value = lookup(key);
      if (entry.value.kind !== "scalar" || entry.value.value !== null || value === undefined) continue;
      bound ??= new Map(pairs.entries);
      bound.set(key, { at: entry.at, value: scalar(value, entry.value.at) });
    }
    return bound ? { ...pairs, entries: bound } : pairs;
  };
  const ofHooks = (node: MapNode) => at(node, "environment", bind);
  let bound = at(service, "environment", bind);
  bound = at(bound, "build", build => at(build, "args", bind));
  for (const hooks of ["pre_start", "post_start", "pre_stop"]) bound = items(bound, hooks, ofHooks);
  return bound;
}

function at(node: MapNode, key: string, change: (inner: MapNode) => MapNode): MapNode {
  const entry = node.entries.get(key);
  if (entry?.value.kind !== "map") return node;
  const changed = change(entry.value);
  return changed === entry.value ? node : replace(node, key, changed);
}

function items(node: MapNode, key: string, change: (inner: MapNode) => MapNode): MapNode {
  const inner = node.entries.get(key)?.value;
  if (inner?.kind !== "list") return node;
  return replace(node, key, { ...inner, items: inner.items.map(item => (item.kind === "map" ? change(item) : item)) });
}

function each(node: MapNode, change: (inner: MapNode) => MapNode): MapNode {
  const entries = new Map(node.entries);
  for (const [key, entry] of entries) {
    if (entry.value.kind === "map") entries.set(key, { at: entry.at, value: change(entry.value) });
  }
  return { ...node, entries };
}

function replace(node: MapNode, key: string, value: Node): MapNode {
  const entry = node.entries.get(key)!;
  return { ...node, entries: new Map(node.entries).set(key, { at: entry.at, value }) };
}
