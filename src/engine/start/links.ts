import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineContext } from "../context.ts";
import { donor } from "../lifecycle/namespaces.ts";
import type { HostsEntry } from "../network-files.ts";
import type { ContainerConfig } from "../state/record.ts";

/** "container[:alias]", either with Docker's leading slash. */
export function parseLink(link: string): { target: string; alias: string } {
  const [target = "", alias] = link.split(":");
  const name = target.replace(/^\//, "");
  return { target: name, alias: (alias ?? name).replace(/^.*\//, "") };
}

/** Docker's legacy links: the other container's addresses under its alias, short id and name. Throws `conflict` when it does not run. */
export function linkEntries(context: EngineContext, config: ContainerConfig): HostsEntry[] {
  return (config.spec.links ?? []).flatMap(link => {
    const { target, alias } = parseLink(link);
    const { id, name } = donor(context, "network", target);
    const names = [...new Set([alias, id.slice(0, 12), name])];
    return context.store
      .state(id)
      .endpoints.flatMap(endpoint => (endpoint.ipv4 ? [{ address: endpoint.ipv4, names }] : []));
  });
}

/** Containers with links are few: they are listed in a directory of their own, so that a start need not look at all containers. */
export function recordLinks({ paths }: EngineContext, config: ContainerConfig): void {
  if (config.spec.links?.length) writeFileSync(join(paths.linking, config.id), "");
}

export function forgetLinks({ paths }: EngineContext, id: string): void {
  rmSync(join(paths.linking, id), { force: true });
}

/** Containers that link to this one, and so have its address in their hosts files. */
export function linkingTo({ paths, store }: EngineContext, target: ContainerConfig): ContainerConfig[] {
  return readdirSync(paths.linking).flatMap(id => {
    const config = store.tryConfig(id);
    const links = config?.spec.links ?? [];
    const points = links.some(link => [target.name, target.id].includes(parseLink(link).target));
    return config && points ? [config] : [];
  });
}
