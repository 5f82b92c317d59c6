import { checkConstraint, parseConstraint } from "./constraint.ts";
import type { HostView } from "./host-view.ts";
import type { PlacementRequest } from "./request.ts";

/** One reason why a host may be unfit. `refuse` answers with a sentence part about the host, or undefined where it fits. */
export interface Filter {
  name: string;
  refuse(request: PlacementRequest, view: HostView): string | undefined;
}

const available: Filter = {
  name: "availability",
  refuse(_request, { host, wish }) {
    if (host.state !== "up") return `is ${host.state}`;
    return wish.availability === "active" ? undefined : `takes no new tasks (${wish.availability})`;
  },
};

const constraints: Filter = {
  name: "constraints",
  refuse({ placement }, view) {
    const missed = placement.constraints
      .map(text => [text, checkConstraint(parseConstraint(text), view)] as const)
      .filter(([, found]) => found !== undefined);
    if (missed.length === 0) return undefined;
    return missed.map(([text, found]) => `does not meet "${text.trim()}" (${found})`).join(" and ");
  },
};

const platform: Filter = {
  name: "platform",
  refuse(request, { host }) {
    const [os, architecture] = request.platform?.split("/") ?? [];
    if (os && os !== host.facts.os) return `runs ${host.facts.os}, not ${os}`;
    if (architecture && architecture !== host.facts.architecture) {
      return `is ${host.facts.architecture}, not ${architecture}`;
    }
    return undefined;
  },
};

const resources: Filter = {
  name: "resources",
  refuse(request, view) {
    const { facts } = view.host;
    const freeCpus = facts.cpus * 1e9 - view.nanoCpus;
    if (request.nanoCpus > freeCpus) {
      return `has ${cores(freeCpus)} of ${facts.cpus} cores unreserved, ${cores(request.nanoCpus)} are asked for`;
    }
    const freeMemory = facts.memory_bytes - view.memory_bytes;
    if (request.memory_bytes > freeMemory) {
      return `has ${mebibytes(freeMemory)} of memory unreserved, ${mebibytes(request.memory_bytes)} are asked for`;
    }
    for (const [kind, value] of Object.entries(request.resources)) {
      const free = (facts.resources[kind] ?? 0) - (view.resources[kind] ?? 0);
      if (value > free) return `has ${free} of ${kind} free, ${value} are asked for`;
    }
    return undefined;
  },
};

const hostPorts: Filter = {
  name: "ports",
  refuse(request, view) {
    for (const { port, shared } of request.hostPorts) {
      const other = view.ports.get(port)?.find(({ sharedBy }) => !shared || sharedBy !== request.service);
      if (other !== undefined) return `has port ${port} taken by ${other.task}`;
    }
    return undefined;
  },
};

const perHost: Filter = {
  name: "replicas a host",
  refuse({ placement, service }, view) {
    const most = placement.maxReplicasPerHost ?? 0;
    const has = view.services.get(service) ?? 0;
    return most > 0 && has >= most ? `has ${has} of at most ${most} tasks of ${service} already` : undefined;
  },
};

/** Cheap and common ones first: the first refusal of a host is the one that is told. */
export const filters: Filter[] = [available, constraints, platform, resources, hostPorts, perHost];

function cores(nanoCpus: number): string {
  return String(Math.round(nanoCpus / 1e7) / 100);
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}
