import type { App } from "../model/app.ts";
import type { Dependency, Service } from "../model/service.ts";

/** Services of this app whose namespaces or mounts the service shares: they must exist first, and it is made anew when they are. */
export function sharedWith(service: Service): string[] {
  const names = new Set<string>();
  for (const mode of [service.networkMode, service.ipc, service.pid, service.uts]) {
    if (mode?.startsWith("service:")) names.add(mode.slice("service:".length));
  }
  for (const from of service.volumesFrom ?? []) {
    if (!from.startsWith("container:")) names.add(from.split(":")[0]!);
  }
  return [...names];
}

/** depends_on together with what links, volumes_from and shared namespaces imply (Compose Specification, depends_on). */
export function dependenciesOf(service: Service): Record<string, Dependency> {
  const implied: Dependency = { condition: "service_started", restart: false, required: true };
  const dependencies = { ...service.dependsOn };
  for (const name of sharedWith(service)) dependencies[name] ??= { ...implied, restart: true };
  for (const link of service.links ?? []) dependencies[link.split(":")[0]!] ??= implied;
  return dependencies;
}

/** The named services and everything that they depend on. */
export function withDependencies(app: Pick<App, "services">, names: Iterable<string>): Set<string> {
  const wanted = new Set<string>();
  const add = (name: string): void => {
    const service = app.services[name];
    if (!service || wanted.has(name)) return;
    wanted.add(name);
    for (const dependency of Object.keys(dependenciesOf(service))) add(dependency);
  };
  for (const name of names) add(name);
  return wanted;
}
