import type { PortSpec, Resources, RestartPolicy } from "../../model/container.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { validatePort } from "../create/validate-networking.ts";
import { validateRestart } from "../create/validate-spec.ts";
import { containerEvent } from "../lifecycle/attributes.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { networkMode } from "../lifecycle/namespaces.ts";
import { withContainer } from "../lifecycle/settle.ts";
import { limitResources } from "../spec/resources.ts";
import { publishedSpecs } from "../start/endpoint-specs.ts";
import { resourceDevices } from "../start/runtime-spec.ts";
import type { ContainerConfig } from "../state/record.ts";

export interface ContainerChange {
  resources?: Partial<Resources>;
  restart?: RestartPolicy;
  /** Takes the place of all published ports. */
  ports?: PortSpec[];
}

/** Changes limits, policy and ports, in the running container too. What the kernel refuses is not written down. */
export async function updateContainer(
  context: EngineContext,
  reference: string,
  change: ContainerChange,
  options: CallOptions,
): Promise<{ warnings: string[] }> {
  return await withContainer(context, reference, options, async held => {
    const { id, config } = held;
    const given = Object.entries(change.resources ?? {}).filter(([, value]) => value !== undefined);
    const resources: Resources = { ...config.spec.resources, ...Object.fromEntries(given) };
    const limits = limitResources(resources, context.host.facts(), await resourceDevices(context, resources));
    if (change.restart) validateRestart(change.restart, config.spec.autoRemove ?? false);
    for (const port of change.ports ?? []) validatePort(port);
    const spec = {
      ...config.spec,
      resources,
      restart: change.restart ?? config.spec.restart,
      ports: change.ports ?? config.spec.ports,
    };
    const updated: ContainerConfig = { ...config, spec };
    if (isRunning(look(context, id))) {
      if (given.length > 0) await context.runtime.update(id, limits.resources, options);
      if (change.ports) await republish(context, updated, options);
    }
    context.store.writeConfig(updated);
    containerEvent(context, updated, "update");
    return { warnings: given.length > 0 ? limits.warnings : [] };
  });
}

async function republish(context: EngineContext, config: ContainerConfig, options: CallOptions): Promise<void> {
  if (networkMode(config.spec).kind !== "networks") return;
  const state = context.store.state(config.id);
  const ports = publishedSpecs(config);
  const publishedPorts = await context.networks.publish(config.id, state.endpoints, ports, options);
  context.store.writeState(config.id, { ...state, publishedPorts });
}
