import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import { newId, shortId } from "../../base/ids.ts";
import type { Endpoint, EndpointSpec } from "../../model/container.ts";
import type { AddressPool, Network } from "../../model/network.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Locks } from "../../ports/locks.ts";
import type { NetworkMember } from "../../ports/network.ts";
import { contains, formatIp, parseIp, parseSubnet } from "../netlink/ip.ts";
import { macBytes, macText } from "../netlink/mac.ts";
import type { Bridges } from "./bridges.ts";
import { EndpointFiles, type EndpointRecord } from "./endpoint-files.ts";
import { Leases } from "./leases.ts";
import { macOf } from "./mac-of.ts";
import { isNamespace } from "./namespaces.ts";
import { bridgeOptions, hasNames, interfaceName, isBridge } from "./network-options.ts";
import type { KernelNames } from "./paths.ts";
import { cutOff, isPluggedIn, plug, setRoutes, unplug } from "./plug.ts";

export interface EndpointsOptions {
  stateDirectory: string;
  names: KernelNames;
  bridges: Bridges;
  locks: Locks;
}

/** Containers in networks: an address, a record, an interface pair; made in this order and undone in the reverse one, so that a record outlives what it records. */
export class Endpoints {
  readonly files: EndpointFiles;
  readonly leases: Leases;
  readonly #options: EndpointsOptions;

  constructor(options: EndpointsOptions) {
    this.#options = options;
    this.files = new EndpointFiles(options.stateDirectory);
    this.leases = new Leases(options.stateDirectory);
  }

  /** Shared by those who connect, exclusive to who removes the network. */
  lock(networkId: string, options: CallOptions & { shared: boolean }) {
    const directory = join(this.#options.stateDirectory, "locks");
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return this.#options.locks.acquire(join(directory, `${networkId}.lock`), options);
  }

  async connect(
    network: Network,
    member: NetworkMember,
    spec: EndpointSpec,
    options: CallOptions = {},
  ): Promise<Endpoint> {
    await using _lock = await this.lock(network.id, { ...options, shared: true });
    this.#refuseSecond(network, member);
    const bridge = isBridge(network) ? await this.#options.bridges.ensure(network, options) : undefined;
    options.signal?.throwIfAborted();
    // From here to the end nothing waits: no other callback of this process sees half an endpoint.
    const record = this.#take(network, member, spec);
    if (bridge === undefined) return record.endpoint;
    try {
      plug(record, {
        master: bridge.index,
        mtu: bridgeOptions(network).mtu,
        alias: this.#options.names.alias(network.id, member.containerId),
        isolated: !bridgeOptions(network).communication,
        announce: spec.macAddress !== undefined && spec.macAddress !== "",
      });
      setRoutes(member.netnsPath, this.files.ofContainer(member.containerId));
    } catch (thrown) {
      unplug(record.hostInterface);
      this.#forget(record);
      throw thrown;
    }
    return record.endpoint;
  }

  /** Being connected twice is a mistake; a record whose namespace is gone is what a reboot or a kill left. */
  #refuseSecond(network: Network, member: NetworkMember): void {
    const there = this.files.read(network.id, member.containerId);
    if (there === undefined) return;
    if (there.netnsPath === member.netnsPath && there.hostInterface !== "" && isPlugged(there)) {
      throw new BerthError(
        "already_exists",
        `container ${member.containerName} is already connected to the network ${network.name}`,
      );
    }
    this.drop(there);
  }

  /** Leases and record. */
  #take(network: Network, member: NetworkMember, spec: EndpointSpec): EndpointRecord {
    const endpointId = newId();
    const leased: string[] = [];
    const lease = (family: 4 | 6, wanted: string | undefined) => {
      const pool = poolOf(network, family, wanted);
      if (pool === undefined) return undefined;
      const address = formatIp(this.leases.take(network, pool, member.containerId, wanted || undefined));
      leased.push(address);
      return {
        address,
        prefixLength: parseSubnet(pool.subnet).prefixLength,
        gateway: network.internal ? undefined : pool.gateway,
      };
    };
    try {
      const ipv4 = lease(4, spec.ipv4);
      const ipv6 = lease(6, spec.ipv6);
      const record: EndpointRecord = {
        containerId: member.containerId,
        containerName: member.containerName,
        netnsPath: member.netnsPath,
        hostInterface: isBridge(network) ? this.#options.names.hostInterface(endpointId) : "",
        internal: network.internal ?? false,
        nameservers: member.nameservers,
        links: member.links,
        exposedPorts: member.exposedPorts,
        endpoint: {
          networkId: network.id,
          networkName: network.name,
          endpointId,
          aliases: spec.aliases ?? [],
          dnsNames: hasNames(network) ? namesOf(member, spec) : [],
          interfaceName: isBridge(network) ? this.#interfaceName(member, spec) : "",
          macAddress: macAddressOf(spec, ipv4?.address ?? ipv6?.address),
          ipv4: ipv4?.address,
          prefixLength: ipv4?.prefixLength,
          gateway: ipv4?.gateway,
          ipv6: ipv6?.address,
          ipv6PrefixLength: ipv6?.prefixLength,
          ipv6Gateway: ipv6?.gateway,
          driverOptions: spec.driverOptions,
          requested: spec,
        },
      };
      this.files.write(record);
      return record;
    } catch (thrown) {
      this.leases.giveBack(network.id, member.containerId, leased);
      throw thrown;
    }
  }

  #interfaceName(member: NetworkMember, spec: EndpointSpec): string {
    const wanted = interfaceName(spec.driverOptions?.["com.docker.network.endpoint.ifname"]);
    const used = new Set(this.files.ofContainer(member.containerId).map(record => record.endpoint.interfaceName));
    if (wanted !== undefined && !used.has(wanted)) return wanted;
    for (let number = 0; ; number++) if (!used.has(`eth${number}`)) return `eth${number}`;
  }

  /** From a container that runs: the interface is gone when this returns. */
  async disconnect(network: Network, containerId: string, options: CallOptions = {}): Promise<void> {
    await using _lock = await this.lock(network.id, { ...options, shared: true });
    const record = this.files.read(network.id, containerId);
    if (record === undefined) return;
    this.drop(record);
    if (isNamespace(record.netnsPath)) setRoutes(record.netnsPath, this.files.ofContainer(containerId));
  }

  drop(record: EndpointRecord): void {
    if (record.hostInterface !== "") unplug(record.hostInterface);
    this.#forget(record);
  }

  /** Of a container that has ended: its namespace goes next, and takes the interfaces along. */
  release(containerId: string): void {
    const records = this.files.ofContainer(containerId);
    cutOff(records.map(record => record.hostInterface).filter(name => name !== ""));
    for (const record of records) this.#forget(record);
  }

  #forget({ endpoint, containerId }: EndpointRecord): void {
    const addresses = [endpoint.ipv4, endpoint.ipv6].filter(address => address !== undefined);
    this.files.remove(endpoint.networkId, containerId);
    this.leases.giveBack(endpoint.networkId, containerId, addresses);
  }
}

function isPlugged(record: EndpointRecord): boolean {
  return isNamespace(record.netnsPath) && isPluggedIn(record.hostInterface);
}

/** Names that DNS answers, each once: the container's, its short id, its aliases, its own host name. */
function namesOf(member: NetworkMember, spec: EndpointSpec): string[] {
  const names = [member.containerName, shortId(member.containerId), ...(spec.aliases ?? []), member.hostname];
  return [...new Set(names.filter(name => name !== ""))];
}

function macAddressOf(spec: EndpointSpec, address: string | undefined): string {
  if (spec.macAddress) return macText(macBytes(spec.macAddress));
  return address === undefined ? "" : macOf(parseIp(address));
}

function poolOf(network: Network, family: 4 | 6, wanted: string | undefined): AddressPool | undefined {
  const pools = network.pools.filter(pool => parseSubnet(pool.subnet).family === family);
  if (!wanted) return pools[0];
  if (pools.length === 0 || parseIp(wanted).family !== family) {
    throw new BerthError(
      "invalid",
      `could not use the address ${wanted}: the network ${network.name} has no IPv${family} subnet for it`,
      {
        hint: family === 6 ? "make the network with --ipv6" : "choose an address of one of its subnets",
      },
    );
  }
  return pools.find(pool => contains(parseSubnet(pool.subnet), parseIp(wanted))) ?? pools[0];
}
