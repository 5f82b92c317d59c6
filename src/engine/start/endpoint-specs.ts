import type { ContainerSpec, EndpointSpec, PortSpec } from "../../model/container.ts";
import { networkMode } from "../lifecycle/namespaces.ts";
import type { ContainerConfig } from "../state/record.ts";

/** The networks that a container asks for, the one of its network mode first. */
export function endpointSpecs(spec: ContainerSpec, defaultNetwork: string): EndpointSpec[] {
  if (networkMode(spec).kind !== "networks") return [];
  const mode = spec.namespaces.network ?? "";
  const primary = mode === "" || mode === "default" ? defaultNetwork : mode;
  const asked = (spec.endpoints ?? []).map(endpoint =>
    endpoint.network === "default" ? { ...endpoint, network: defaultNetwork } : endpoint,
  );
  const listed = asked.find(endpoint => endpoint.network === primary);
  const explicit = mode !== "" && mode !== "default";
  const first = listed ?? (explicit || asked.length === 0 ? { network: primary } : undefined);
  const all = [...(first ? [first] : []), ...asked.filter(endpoint => endpoint !== listed)];
  if (spec.macAddress && all[0] && !all[0].macAddress) all[0] = { ...all[0], macAddress: spec.macAddress };
  return all;
}

/** What is published: the ports asked for, and with `publishAll` every exposed one that was not. */
export function publishedSpecs(config: Pick<ContainerConfig, "spec" | "process">): PortSpec[] {
  const { spec, process } = config;
  if (!spec.publishAll) return spec.ports;
  const asked = new Set(spec.ports.map(port => `${port.containerPort}/${port.protocol}`));
  const rest = process.exposedPorts.filter(port => !asked.has(port)).flatMap(exposedRange);
  return [...spec.ports, ...rest];
}

/** "80/tcp" or "8000-8010/udp". */
function exposedRange(text: string): PortSpec[] {
  const match = /^(\d+)(?:-(\d+))?\/(tcp|udp)$/.exec(text);
  if (match === null) return [];
  const first = Number(match[1]);
  const last = Number(match[2] ?? first);
  const protocol = match[3] === "udp" ? "udp" : "tcp";
  return Array.from({ length: last - first + 1 }, (_, index) => ({ containerPort: first + index, protocol }));
}
