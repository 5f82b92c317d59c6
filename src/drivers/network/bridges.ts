import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { Network } from "../../model/network.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Locks } from "../../ports/locks.ts";
import { addAddress } from "../netlink/addresses.ts";
import { parseIp, parseSubnet } from "../netlink/ip.ts";
import { addBridge, deleteLink, getLink, type Link, parseLink, setAlias, setUp } from "../netlink/links.ts";
import { NetlinkSocket } from "../netlink/netlink-socket.ts";
import { allowLocalhostRouting, enableForwarding, ignoreRouterAdvertisements, setIpv6 } from "./host-settings.ts";
import { macOf } from "./mac-of.ts";
import { bridgeOptions } from "./network-options.ts";
import type { Nft } from "./nft.ts";
import type { KernelNames } from "./paths.ts";
import { addNetwork, baseRules, deleteNetwork, deleteTable, type NetworkRules } from "./rules.ts";

export interface BridgesOptions {
  names: KernelNames;
  stateDirectory: string;
  locks: Locks;
  nft: Nft;
}

/** What stands in the kernel for a network: its bridge, the host's address on it, and its elements in the rules. */
export class Bridges {
  readonly #names: KernelNames;
  readonly #locks: Locks;
  readonly #nft: Nft;
  readonly #lockPath: string;

  constructor({ names, stateDirectory, locks, nft }: BridgesOptions) {
    this.#names = names;
    this.#locks = locks;
    this.#nft = nft;
    this.#lockPath = join(stateDirectory, "locks", "rules.lock");
  }

  /** One process at a time changes rules and bridges of this instance. */
  lock(options: CallOptions = {}) {
    mkdirSync(dirname(this.#lockPath), { recursive: true, mode: 0o700 });
    return this.#locks.acquire(this.#lockPath, options);
  }

  /** The network's bridge, made with its rules if it is not there. A bridge that is up is complete: that is the last step. */
  async ensure(network: Network, options: CallOptions = {}): Promise<Link> {
    const there = this.find(network);
    if (there?.up) return there;
    await using _lock = await this.lock(options);
    return this.#make(network);
  }

  /** Undefined where it is not up; throws where another's interface has its name. */
  find(network: Network): Link | undefined {
    using socket = new NetlinkSocket();
    const link = socket.get(getLink(network.interfaceName), parseLink);
    if (link !== undefined && this.#names.parseAlias(link.alias)?.networkId !== network.id) {
      throw new BerthError(
        "conflict",
        `could not bring up the network ${network.name}: there is another interface named ${network.interfaceName}`,
        {
          hint: `remove it (ip link delete ${network.interfaceName}), or choose another name with the option com.docker.network.bridge.name`,
        },
      );
    }
    return link;
  }

  /** Needs the lock. */
  #make(network: Network): Link {
    const name = network.interfaceName;
    const there = this.find(network);
    if (there?.up) return there;
    this.#addRules(network);
    using socket = new NetlinkSocket();
    // A half-made one is what a killed process left.
    if (there !== undefined) socket.run([deleteLink(name)]);
    const gateways = network.pools.map(pool => ({
      address: parseIp(pool.gateway!),
      prefixLength: parseSubnet(pool.subnet).prefixLength,
    }));
    const { mtu } = bridgeOptions(network);
    socket.run([
      addBridge({ name, macAddress: macOf(gateways[0]!.address), mtu }),
      setAlias(name, this.#names.alias(network.id)),
    ]);
    const { index } = socket.get(getLink(name), parseLink)!;
    const ipv6 = gateways.some(({ address }) => address.family === 6);
    setIpv6(name, ipv6);
    ignoreRouterAdvertisements(name);
    allowLocalhostRouting(name);
    enableForwarding(4);
    if (ipv6) enableForwarding(6);
    socket.run([...gateways.map(gateway => addAddress({ index, ...gateway })), setUp({ index })]);
    return socket.get(getLink(name), parseLink)!;
  }

  #addRules(network: Network): void {
    const { table } = this.#names;
    const base = this.hasRules() ? "" : baseRules(table);
    this.#nft.run(`add the rules of the network ${network.name}`, base + addNetwork(table, rulesOf(network)));
  }

  hasRules(): boolean {
    return this.#nft.list(`list set inet ${this.#names.table} bridges`) !== undefined;
  }

  /** Takes everything of the network out of the kernel. Needs the lock. `last`: no other network of the instance is up. */
  delete(network: Network, { last }: { last: boolean }): void {
    using socket = new NetlinkSocket();
    if (this.find(network) !== undefined) socket.run([deleteLink(network.interfaceName)]);
    if (!this.hasRules()) return;
    const { table } = this.#names;
    const script = last ? deleteTable(table) : ignoreMissing(table, rulesOf(network));
    this.#nft.run(`remove the rules of the network ${network.name}`, script);
  }
}

/** Deleting what is not there would fail the whole script: so add it first. */
function ignoreMissing(table: string, rules: NetworkRules): string {
  return addNetwork(table, rules) + deleteNetwork(table, rules);
}

export function rulesOf(network: Network): NetworkRules {
  const of = (family: 4 | 6) =>
    network.pools.map(pool => pool.subnet).filter(subnet => parseSubnet(subnet).family === family);
  return {
    bridge: network.interfaceName,
    internal: network.internal ?? false,
    masquerade: bridgeOptions(network).masquerade,
    subnets4: of(4),
    subnets6: of(6),
  };
}
