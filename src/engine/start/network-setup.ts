import type { Endpoint, PublishedPort } from "../../model/container.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { donor, networkMode } from "../lifecycle/namespaces.ts";
import type { ContainerConfig } from "../state/record.ts";
import { publishedSpecs } from "./endpoint-specs.ts";
import { writeNetworkFiles } from "./write-network-files.ts";

export interface JoinedNetworks {
  endpoints: Endpoint[];
  publishedPorts: PublishedPort[];
}

/** Path of the network namespace that the container's process gets; "" for the host's own. */
export async function openNamespace(
  context: EngineContext,
  config: ContainerConfig,
  options: CallOptions,
): Promise<string> {
  const mode = networkMode(config.spec);
  if (mode.kind === "host") return "";
  if (mode.kind === "container") return `/proc/${donor(context, "network", mode.reference).pid}/ns/net`;
  return await context.networks.createNamespace(config.id, options);
}

/** Plugs the namespace into its networks, publishes the ports, and writes what the container reads about both. */
export async function joinNetworks(
  context: EngineContext,
  config: ContainerConfig,
  netnsPath: string,
  options: CallOptions,
): Promise<JoinedNetworks> {
  const mode = networkMode(config.spec);
  const endpoints: Endpoint[] = [];
  let publishedPorts: PublishedPort[] = [];
  if (mode.kind === "networks") {
    const member = {
      containerId: config.id,
      containerName: config.name,
      hostname: config.hostname,
      netnsPath,
      exposedPorts: config.process.exposedPorts,
    };
    // One after the other: interfaces are numbered in the order of the networks.
    for (const spec of config.endpoints) endpoints.push(await context.networks.connect(member, spec, options));
    const ports = publishedSpecs(config);
    if (ports.length > 0) publishedPorts = await context.networks.publish(config.id, endpoints, ports, options);
  }
  if (mode.kind !== "container") writeNetworkFiles(context, config, endpoints);
  return { endpoints, publishedPorts };
}
