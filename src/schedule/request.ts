import type { Placement } from "../model/deploy.ts";
import type { Service } from "../model/service.ts";
import type { HostView, PortHolder } from "./host-view.ts";

/** What a task asks of its host. */
export interface PlacementRequest {
  /** Of the task, for the bookkeeping of ports. */
  name: string;
  /** "app/service" */
  service: string;
  nanoCpus: number;
  memory_bytes: number;
  resources: Record<string, number>;
  /** Fixed ports on the host, "8080/tcp"; shared ones may be had by all tasks of the service. */
  hostPorts: { port: string; shared: boolean }[];
  placement: Placement;
  platform?: string;
}

export function requestOf(name: string, app: string, service: Service): PlacementRequest {
  const reserved = service.deploy?.reservations;
  return {
    name,
    service: `${app}/${service.name}`,
    nanoCpus: reserved?.nanoCpus ?? 0,
    memory_bytes: reserved?.memory_bytes ?? 0,
    resources: Object.fromEntries((reserved?.genericResources ?? []).map(({ kind, value }) => [kind, value])),
    hostPorts: service.ports
      .filter(port => port.hostPort !== undefined && port.hostPortEnd === undefined)
      .map(port => ({
        port: `${port.hostAddress ? `${port.hostAddress}:` : ""}${port.hostPort}/${port.protocol}`,
        shared: port.mode === "ingress",
      })),
    placement: service.deploy?.placement ?? { constraints: [], spread: [] },
    platform: service.platform,
  };
}

/** Counts a task as placed on the host. */
export function take(view: HostView, request: PlacementRequest): void {
  view.nanoCpus += request.nanoCpus;
  view.memory_bytes += request.memory_bytes;
  for (const [kind, value] of Object.entries(request.resources)) {
    view.resources[kind] = (view.resources[kind] ?? 0) + value;
  }
  for (const { port, shared } of request.hostPorts) {
    const holder: PortHolder = { task: request.name, ...(shared ? { sharedBy: request.service } : {}) };
    view.ports.set(port, [...(view.ports.get(port) ?? []), holder]);
  }
  view.tasks += 1;
  view.services.set(request.service, (view.services.get(request.service) ?? 0) + 1);
}

/** The host as it would be with that task gone. */
export function without(view: HostView, request: PlacementRequest): HostView {
  const resources = { ...view.resources };
  for (const [kind, value] of Object.entries(request.resources)) resources[kind] = (resources[kind] ?? 0) - value;
  const ports = new Map(
    [...view.ports].map(([port, holders]) => [port, holders.filter(({ task }) => task !== request.name)] as const),
  );
  const services = new Map(view.services).set(request.service, (view.services.get(request.service) ?? 1) - 1);
  return {
    ...view,
    nanoCpus: view.nanoCpus - request.nanoCpus,
    memory_bytes: view.memory_bytes - request.memory_bytes,
    tasks: view.tasks - 1,
    resources,
    ports,
    services,
  };
}
