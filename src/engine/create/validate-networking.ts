import { isIP } from "node:net";
import type { ContainerSpec, PortSpec } from "../../model/container.ts";
import { networkMode } from "../lifecycle/namespaces.ts";
import { invalid } from "./invalid.ts";

/** Returns warnings. */
export function validateNetworking(spec: ContainerSpec): string[] {
  for (const port of spec.ports) validatePort(port);
  for (const server of spec.dns ?? []) {
    if (isIP(server) === 0) throw invalid("dns", `${JSON.stringify(server)} is not an address`);
  }
  for (const entry of spec.extraHosts ?? []) validateExtraHost(entry);
  const mode = networkMode(spec);
  if (mode.kind === "container") refuseWithSharedNetwork(spec);
  if (mode.kind !== "networks" && spec.macAddress) {
    throw invalid("macAddress", `cannot be set with network mode ${spec.namespaces.network}`);
  }
  if (mode.kind === "host" && spec.links?.length) throw invalid("links", "cannot be used with network mode host");
  if (mode.kind === "host" && (spec.ports.length > 0 || spec.publishAll)) {
    return ["published ports are not used with network mode host: the container has the host's ports anyway"];
  }
  if (mode.kind === "none" && spec.ports.length > 0) {
    return ["published ports are not used with network mode none: the container has no network"];
  }
  return [];
}

export function validatePort({ containerPort, protocol, hostAddress, hostPort, hostPortEnd }: PortSpec): void {
  const ok = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65535;
  if (!ok(containerPort)) throw invalid("ports", `${containerPort} is not a port from 1 to 65535`);
  if (!["tcp", "udp"].includes(protocol)) {
    throw invalid("ports", `${containerPort}/${protocol}: the protocol is unknown`, "use tcp or udp");
  }
  for (const port of [hostPort, hostPortEnd]) {
    if (port !== undefined && port !== 0 && !ok(port)) throw invalid("ports", `${port} is not a port from 1 to 65535`);
  }
  if (hostPortEnd !== undefined && hostPortEnd < (hostPort ?? 0)) {
    throw invalid("ports", `the range ${hostPort}-${hostPortEnd} runs backwards`);
  }
  if (hostAddress && isIP(hostAddress.replace(/^\[(.*)\]$/, "$1")) === 0) {
    throw invalid("ports", `the host address ${JSON.stringify(hostAddress)} is not an IP address`);
  }
}

function validateExtraHost(entry: string): void {
  const match = /^([^:=]+)[:=](.+)$/.exec(entry);
  const address = match?.[2]?.replace(/^\[(.*)\]$/, "$1") ?? "";
  if (match === null || (address !== "host-gateway" && isIP(address) === 0)) {
    throw invalid("extraHosts", `${JSON.stringify(entry)} is not NAME:ADDRESS`, "write e.g. db:10.0.0.7");
  }
}

function refuseWithSharedNetwork(spec: ContainerSpec): void {
  const own: [string, boolean][] = [
    ["hostname", Boolean(spec.hostname)],
    ["ports", spec.ports.length > 0 || spec.publishAll === true],
    ["dns", Boolean(spec.dns?.length)],
    ["extraHosts", Boolean(spec.extraHosts?.length)],
    ["links", Boolean(spec.links?.length)],
    ["exposedPorts", Boolean(spec.exposedPorts?.length)],
    ["endpoints", Boolean(spec.endpoints?.length)],
  ];
  for (const [field, given] of own) {
    if (given)
      throw invalid(field, `cannot be set when the network is ${spec.namespaces.network}`, "set it on that container");
  }
}
