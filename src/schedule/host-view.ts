import type { Host, HostWish } from "../model/host.ts";

export interface PortHolder {
  /** "shop-web-1" */
  task: string;
  /** "shop/web" where tasks of that service share the port; absent: it is this task's alone. */
  sharedBy?: string;
}

/** A host as the scheduler sees it: what it is, and what its tasks have taken of it. */
export interface HostView {
  host: Host;
  wish: HostWish;
  /** Reserved by the tasks on it. */
  nanoCpus: number;
  memory_bytes: number;
  resources: Record<string, number>;
  /** "8080/tcp" -> who has it: several tasks of one service may share it. */
  ports: Map<string, PortHolder[]>;
  tasks: number;
  /** Tasks by "app/service". */
  services: Map<string, number>;
}

export const noWish: HostWish = { availability: "active", labels: {} };

export function emptyView(host: Host, wish: HostWish = noWish): HostView {
  return { host, wish, nanoCpus: 0, memory_bytes: 0, resources: {}, ports: new Map(), tasks: 0, services: new Map() };
}
