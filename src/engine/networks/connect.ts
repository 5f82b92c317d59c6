import { BerthError } from "../../base/errors.ts";
import type { Endpoint, EndpointSpec } from "../../model/container.ts";
import type { Network } from "../../model/network.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { networkMode } from "../lifecycle/namespaces.ts";
import { type Held, withContainer } from "../lifecycle/settle.ts";
import { publishedSpecs } from "../start/endpoint-specs.ts";
import { writeNetworkFiles } from "../start/write-network-files.ts";
import type { ContainerConfig } from "../state/record.ts";
import { networkEvent } from "./network-events.ts";

/** At once where the container runs; else recorded, and done at its start. */
export async function connectContainer(
  context: EngineContext,
  reference: string,
  container: string,
  given: Omit<EndpointSpec, "network">,
  options: CallOptions,
): Promise<void> {
  const network = await context.networks.get(reference);
  await withContainer(context, container, options, async held => {
    const { config } = held;
    refuseOtherModes(config, network);
    if ((await endpointOf(context, config, network)) !== undefined) {
      throw new BerthError(
        "already_exists",
        `container ${config.name} is connected to network ${network.name} already`,
      );
    }
    const spec: EndpointSpec = { ...given, network: network.name };
    const updated = { ...config, endpoints: [...config.endpoints, spec] };
    if (isRunning(look(context, held.id))) {
      const member = {
        containerId: config.id,
        containerName: config.name,
        hostname: config.hostname,
        exposedPorts: config.process.exposedPorts,
        netnsPath: `/proc/${held.state.pid}/ns/net`,
      };
      const endpoint = await context.networks.connect(member, spec, options);
      await applyEndpoints(context, { ...held, config: updated }, [...held.state.endpoints, endpoint], options);
    }
    context.store.writeConfig(updated);
    networkEvent(context, network, "connect", { container: config.id });
  });
}

/** `force`: also when the container has gone and only its endpoint is left. */
export async function disconnectContainer(
  context: EngineContext,
  reference: string,
  container: string,
  options: CallOptions & { force?: boolean },
): Promise<void> {
  const network = await context.networks.get(reference);
  await withContainer(context, container, options, async held => {
    const { config, state } = held;
    const spec = await endpointOf(context, config, network);
    const plugged = state.endpoints.some(endpoint => endpoint.networkId === network.id);
    if (spec === undefined && !plugged) {
      throw new BerthError("not_found", `container ${config.name} is not connected to network ${network.name}`);
    }
    const updated = { ...config, endpoints: config.endpoints.filter(endpoint => endpoint !== spec) };
    // Written first: killed now, the next start does not plug it in again, and `check` finds the endpoint.
    context.store.writeConfig(updated);
    if (isRunning(look(context, held.id))) {
      await context.networks.disconnect(config.id, network.id, options);
      const left = state.endpoints.filter(endpoint => endpoint.networkId !== network.id);
      await applyEndpoints(context, { ...held, config: updated }, left, options);
    }
    networkEvent(context, network, "disconnect", { container: config.id });
  });
}

/** Ports go to an address of the container, which may be another one now; so does what it reads about itself. */
async function applyEndpoints(
  context: EngineContext,
  { config, state }: Held,
  endpoints: Endpoint[],
  options: CallOptions,
): Promise<void> {
  const ports = publishedSpecs(config);
  let { publishedPorts } = state;
  if (ports.length > 0) {
    // Ports that were chosen freely stay as they are.
    const kept = ports.map(port => {
      const now = state.publishedPorts.find(
        other => other.containerPort === port.containerPort && other.protocol === port.protocol,
      );
      return !port.hostPort && now ? { ...port, hostPort: now.hostPort } : port;
    });
    if (endpoints.length > 0) {
      publishedPorts = await context.networks.publish(config.id, endpoints, kept, options);
    } else {
      await context.networks.unpublish(config.id, options);
      publishedPorts = [];
    }
  }
  context.store.writeState(config.id, { ...state, endpoints, publishedPorts });
  writeNetworkFiles(context, config, endpoints);
}

function refuseOtherModes(config: ContainerConfig, network: Network): void {
  const mode = networkMode(config.spec);
  if (mode.kind === "container" || mode.kind === "host") {
    throw new BerthError(
      "conflict",
      `container ${config.name} has no network of its own (mode ${config.spec.namespaces.network})`,
      {
        hint: "make it again with a network of its own",
      },
    );
  }
  if (mode.kind === "none" || network.driver === "host" || network.driver === "null") {
    throw new BerthError("conflict", `container ${config.name} cannot be connected to network ${network.name}`, {
      hint: "networks host and none, and containers of mode none, take no part in connect",
    });
  }
}

/** What the container asks of this network, by whichever name it knows it. */
async function endpointOf(
  context: EngineContext,
  config: ContainerConfig,
  network: Network,
): Promise<EndpointSpec | undefined> {
  const isIt = (name: string) => name === network.name || name === network.id;
  const direct = config.endpoints.find(endpoint => isIt(endpoint.network));
  if (direct) return direct;
  for (const endpoint of config.endpoints) {
    if (network.id.startsWith(endpoint.network) && (await context.networks.get(endpoint.network)).id === network.id) {
      return endpoint;
    }
  }
  return undefined;
}
