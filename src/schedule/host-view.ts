import type { Host, HostWish } from "../model/host.ts";

/** A host as the scheduler sees it: what it is, and what its tasks have taken of it. */
export interface HostView {
  host: Host;
  wish: HostWish;
  /** Reserved by the tasks on it. */
  nanoCpus: number;
  memory_bytes: number;
  resources: Record<string, number>;
  /** "8080/tcp" -> "shop/web.1" */
  ports: Map<string, string>;
  tasks: number;
  /** Tasks by "app/service". */
  services: Map<string, number>;
}

export const noWish: HostWish = { availability: "active", labels: {} };

export function emptyView(host: Host, wish: HostWish = noWish): HostView {
  return { host, wish, nanoCpus: 0, memory_bytes: 0, resources: {}, ports: new Map(), tasks: 0, services: new Map() };
}
