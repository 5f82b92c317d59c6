import { sharedWith } from "../lifecycle/namespaces.ts";
import { parseLink } from "../start/links.ts";
import type { ContainerConfig } from "../state/record.ts";

/** Containers before those that need them to run (shared namespaces, links); otherwise the oldest first. Rings are cut anywhere. */
export function bootOrder(configs: ContainerConfig[]): ContainerConfig[] {
  const byReference = new Map(configs.flatMap(config => [config.id, config.name].map(key => [key, config] as const)));
  const ordered: ContainerConfig[] = [];
  const seen = new Set<ContainerConfig>();
  const visit = (config: ContainerConfig) => {
    if (seen.has(config)) return;
    seen.add(config);
    for (const reference of neededBy(config)) {
      const needed = byReference.get(reference);
      if (needed) visit(needed);
    }
    ordered.push(config);
  };
  for (const config of configs.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1))) visit(config);
  return ordered;
}

function neededBy({ spec }: ContainerConfig): string[] {
  const { network, pid, ipc, uts } = spec.namespaces;
  const shared = [network, pid, ipc, uts].map(sharedWith).filter(reference => reference !== undefined);
  return [...shared, ...(spec.links ?? []).map(link => parseLink(link).target)];
}
