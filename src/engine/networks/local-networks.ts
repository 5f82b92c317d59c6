import type { EndpointSpec } from "../../model/container.ts";
import type { Network, NetworkSpec } from "../../model/network.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Filters, NetworkBackend } from "../../ports/engine.ts";
import { checkPruneFilters, pruneUntil_ms } from "../containers/prune-containers.ts";
import type { EngineContext } from "../context.ts";
import { matchesLabelFilters } from "../filters/labels.ts";
import { connectContainer, disconnectContainer } from "./connect.ts";
import { networkEvent } from "./network-events.ts";
import { networkTest } from "./network-filters.ts";

const pruneFilters = new Set(["until", "label", "label!"]);

export function localNetworks(context: EngineContext): NetworkBackend {
  const { networks } = context;
  return {
    create: (spec, options) => create(context, spec, options),
    get: reference => networks.get(reference),
    list: async ({ filters = {} } = {}) => {
      const test = await networkTest(context, filters);
      return (await networks.list()).filter(test);
    },
    remove: (reference, options) => remove(context, reference, options),
    prune: (options = {}) => prune(context, options),
    connect: (reference, container, spec, options = {}) =>
      connectContainer(context, reference, container, spec as Omit<EndpointSpec, "network">, options),
    disconnect: (reference, container, options = {}) => disconnectContainer(context, reference, container, options),
    members: networkId => networks.members(networkId),
  };
}

async function create(context: EngineContext, spec: NetworkSpec, options?: CallOptions): Promise<Network> {
  const network = await context.networks.create(spec, options);
  networkEvent(context, network, "create");
  return network;
}

async function remove(context: EngineContext, reference: string, options?: CallOptions): Promise<void> {
  const network = await context.networks.get(reference);
  await context.networks.remove(network.id, options);
  networkEvent(context, network, "destroy");
}

async function prune(context: EngineContext, options: CallOptions & { filters?: Filters }): Promise<string[]> {
  const filters = options.filters ?? {};
  checkPruneFilters(filters, pruneFilters);
  const until_ms = pruneUntil_ms(filters, context.clock.now_ms());
  const keep = (network: Network) =>
    Date.parse(network.createdAt) > until_ms || !matchesLabelFilters(network.labels, filters);
  const before = await context.networks.list();
  const removed = await context.networks.prune({ ...options, keep });
  for (const network of before) if (removed.includes(network.name)) networkEvent(context, network, "destroy");
  return removed;
}
