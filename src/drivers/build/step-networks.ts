import { BerthError } from "../../base/errors.ts";
import type { Endpoint } from "../../model/container.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { NetworkService } from "../../ports/network.ts";

export interface StepNetwork {
  id: string;
  netnsPath: string;
  endpoint: Endpoint;
}

/**
 * Network namespaces on the default bridge for RUN steps. Making one costs as much as starting a container, so one that a step is done with serves the
 * next; two steps never share one. Everything goes when no build is running any more.
 */
export class StepNetworks {
  readonly #networks: NetworkService;
  readonly #idle: StepNetwork[] = [];

  constructor(networks: NetworkService) {
    this.#networks = networks;
  }

  async take(id: string, options: CallOptions): Promise<StepNetwork> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    try {
      const netnsPath = await this.#networks.createNamespace(id, options);
      const member = { containerId: id, containerName: id, hostname: id, netnsPath };
      return { id, netnsPath, endpoint: await this.#networks.connect(member, { network: "bridge" }, options) };
    } catch (thrown) {
      await this.#networks.release(id);
      options.signal?.throwIfAborted();
      throw new BerthError(
        "unavailable",
        `connecting the build step to the network: ${thrown instanceof Error ? thrown.message : thrown}`,
        {
          cause: thrown,
          hint: "steps that need no network run with RUN --network=none",
        },
      );
    }
  }

  give(network: StepNetwork): void {
    this.#idle.push(network);
  }

  resolver(network: StepNetwork): string | undefined {
    return this.#networks.resolverAddress([network.endpoint]);
  }

  async releaseIdle(): Promise<void> {
    for (const { id } of this.#idle.splice(0)) await this.#networks.release(id);
  }

  /** What killed builds left in the default network. */
  async sweep(isLeftover: (id: string) => boolean): Promise<void> {
    const bridge = await this.#networks.get("bridge");
    for (const { containerId } of await this.#networks.members(bridge.id)) {
      if (isLeftover(containerId)) await this.#networks.release(containerId);
    }
  }
}
