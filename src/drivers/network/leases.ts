import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { AddressPool, Network } from "../../model/network.ts";
import { claim, claimant, namesIn, readJson, unclaim, writeJson } from "../linux/state-files.ts";
import { formatIp, type Ip, parseIp } from "../netlink/ip.ts";
import { AddressRange } from "./subnets.ts";

/**
 * Addresses in use: `<state>/leases/<network id>/<address>` is a link whose target is the container's id. Making it takes the address, and exactly one of
 * two processes can. /run forgets all of them at a reboot, together with the containers' namespaces.
 */
export class Leases {
  readonly #directory: string;

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, "leases");
  }

  /** The wanted address, or the next free one. Taking again what the container holds already is fine. */
  take(network: Network, pool: AddressPool, containerId: string, wanted: string | undefined): Ip {
    const range = new AddressRange(pool);
    return wanted === undefined
      ? this.#takeNext(network, range, containerId)
      : this.#take(network, range, containerId, wanted);
  }

  #take(network: Network, range: AddressRange, containerId: string, wanted: string): Ip {
    const ip = parseIp(wanted);
    if (!range.allows(ip)) {
      throw new BerthError(
        "invalid",
        `could not use the address ${wanted} in the network ${network.name}: it is outside the subnet or reserved`,
        {
          hint: `choose one in ${network.pools.map(pool => pool.subnet).join(" or ")} that is not the gateway`,
        },
      );
    }
    const path = this.#path(network.id, ip);
    if (!claim(path, containerId) && claimant(path) !== containerId) {
      throw new BerthError(
        "already_exists",
        `could not use the address ${wanted} in the network ${network.name}: container ${claimant(path)?.slice(0, 12)} has it`,
        {
          hint: "choose another address, or stop that container",
          details: { containerId: claimant(path) ?? "" },
        },
      );
    }
    return ip;
  }

  #takeNext(network: Network, range: AddressRange, containerId: string): Ip {
    const { family } = range.subnet;
    const marker = join(this.#directory, network.id, `last${family}.json`);
    for (;;) {
      const taken = new Set(
        this.list(network.id)
          .filter(ip => ip.family === family)
          .map(ip => ip.value),
      );
      const previous = readJson<string>(marker);
      const ip = range.next(taken, previous === undefined ? undefined : parseIp(previous).value);
      if (ip === undefined) {
        throw new BerthError(
          "exhausted",
          `could not find a free address in the network ${network.name}: all ${taken.size} are taken`,
          {
            hint: "remove containers, or make a network with a larger subnet",
          },
        );
      }
      // Another process may have been faster: look again then.
      if (!claim(this.#path(network.id, ip), containerId)) continue;
      writeJson(marker, formatIp(ip));
      return ip;
    }
  }

  giveBack(networkId: string, containerId: string, addresses: string[]): void {
    for (const address of addresses) unclaim(this.#path(networkId, parseIp(address)), containerId);
  }

  list(networkId: string): Ip[] {
    return this.#names(networkId).map(parseIp);
  }

  holders(networkId: string): { address: string; containerId: string }[] {
    return this.#names(networkId).flatMap(address => {
      const containerId = claimant(join(this.#directory, networkId, address));
      return containerId === undefined ? [] : [{ address, containerId }];
    });
  }

  networks(): string[] {
    return namesIn(this.#directory);
  }

  #names(networkId: string): string[] {
    return namesIn(join(this.#directory, networkId)).filter(name => !name.endsWith(".json"));
  }

  #path(networkId: string, ip: Ip): string {
    return join(this.#directory, networkId, formatIp(ip));
  }
}
