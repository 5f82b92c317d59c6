import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import type { Endpoint, EndpointSpec, PortSpec, PublishedPort } from "../../model/container.ts";
import type { Network, NetworkSpec } from "../../model/network.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Locks } from "../../ports/locks.ts";
import type { NetworkMember, NetworkService } from "../../ports/network.ts";
import { audit } from "./audit.ts";
import { Bridges, rulesOf } from "./bridges.ts";
import { Catalog } from "./catalog.ts";
import { Endpoints } from "./endpoints.ts";
import { NameService } from "./name-service.ts";
import { Namespaces } from "./namespaces.ts";
import { bridgeOptions, hasNames, isBridge } from "./network-options.ts";
import { hostNft, type Nft } from "./nft.ts";
import { hostWideDirectory, KernelNames } from "./paths.ts";
import { PortFiles } from "./port-files.ts";
import { PublishedPorts } from "./published-ports.ts";
import { resolverAddress } from "./resolver-sockets.ts";
import { deleteTable, replaceAll } from "./rules.ts";
import { type DefaultPool, defaultPools } from "./subnets.ts";

export interface BridgeNetworksOptions {
  /** Definitions; survive a reboot: `<root>/networks`. */
  definitionsDirectory: string;
  /** What is up now, on a file system that a reboot empties: `<run>/network`. */
  stateDirectory: string;
  /** Keeps several instances on one machine apart: at most 12 lower-case letters and digits; "" is the machine's own. */
  instance: string;
  locks: Locks;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  /** Where instances on this machine meet; by default one directory for each network namespace. */
  hostWideDirectory?: string;
  defaultPools?: readonly DefaultPool[];
  /** Program and arguments that run berth-dns, e.g. [process.execPath, ".../berth-dns.js"]; absent: names of containers are not resolved. */
  resolverCommand?: readonly string[];
}

/** How long the kernel may take to end a namespace, or another process to connect a container. */
const settle_ms = 500;

/** Networks of one host made of Linux bridges, interface pairs and nftables; everything is done in this process and nothing stays behind to run. */
export class BridgeNetworks implements NetworkService {
  readonly #clock: Clock;
  readonly #catalog: Catalog;
  readonly #names: KernelNames;
  readonly #nft: Nft = hostNft();
  readonly #bridges: Bridges;
  readonly #namespaces: Namespaces;
  readonly #endpoints: Endpoints;
  readonly #portFiles: PortFiles;
  readonly #ports: PublishedPorts;
  readonly #nameService: NameService | undefined;

  constructor(options: BridgeNetworksOptions) {
    const { stateDirectory, locks, clock } = options;
    const hostWide = options.hostWideDirectory ?? hostWideDirectory();
    this.#clock = clock;
    this.#names = new KernelNames(options.instance);
    this.#catalog = new Catalog({
      directories: { definitions: options.definitionsDirectory, state: stateDirectory, hostWide },
      names: this.#names,
      locks,
      clock,
      defaultPools: options.defaultPools ?? defaultPools,
    });
    this.#bridges = new Bridges({ names: this.#names, stateDirectory, locks, nft: this.#nft });
    this.#namespaces = new Namespaces(stateDirectory);
    this.#endpoints = new Endpoints({ stateDirectory, names: this.#names, bridges: this.#bridges, locks });
    const command = options.resolverCommand;
    this.#nameService = command && new NameService({ stateDirectory, command, clock, locks });
    this.#portFiles = new PortFiles(stateDirectory, hostWide, locks);
    this.#ports = new PublishedPorts({
      files: this.#portFiles,
      table: this.#names.table,
      nft: this.#nft,
      random: options.random,
      rewriteRules: () => this.#rewriteRulesLocked(),
    });
  }

  async create(spec: NetworkSpec, options: CallOptions = {}): Promise<Network> {
    const network = await this.#catalog.create({ ...spec, driver: spec.driver || "bridge" }, options);
    // Somebody will want names in it soon.
    this.#nameService?.warm();
    return network;
  }

  get(reference: string): Promise<Network> {
    return this.#catalog.get(reference);
  }

  list(): Promise<Network[]> {
    return this.#catalog.list();
  }

  async remove(reference: string, options: CallOptions = {}): Promise<void> {
    const network = await this.get(reference);
    if (network.builtin) {
      throw new BerthError("forbidden", `could not remove the network ${network.name}: it is built in`);
    }
    await using _lock = await this.#endpoints.lock(network.id, { ...options, shared: false });
    const users = this.#endpoints.files.ofNetwork(network.id).map(record => record.containerName);
    if (users.length > 0) {
      throw new BerthError(
        "in_use",
        `could not remove the network ${network.name}: ${users.join(", ")} ${users.length > 1 ? "are" : "is"} connected to it`,
        {
          hint: "stop or disconnect them first",
        },
      );
    }
    await this.#takeDown([network], options);
    await this.#catalog.remove(network, options);
  }

  /** Out of the kernel; with the last network of the instance the rules go altogether. */
  async #takeDown(networks: Network[], options: CallOptions): Promise<void> {
    await using _lock = await this.#bridges.lock(options);
    const all = this.#catalog.read().filter(isBridge);
    for (const network of networks) {
      const others = all.filter(other => other.id !== network.id && this.#bridges.find(other) !== undefined);
      this.#bridges.delete(network, { last: others.length === 0 });
    }
  }

  async prune({ keep, ...options }: CallOptions & { keep?: (network: Network) => boolean }): Promise<string[]> {
    const removed: string[] = [];
    for (const network of await this.list()) {
      if (network.builtin || keep?.(network) || !this.#endpoints.files.isEmpty(network.id)) continue;
      await this.remove(network.id, options);
      removed.push(network.name);
    }
    return removed;
  }

  async createNamespace(containerId: string, { signal }: CallOptions = {}): Promise<string> {
    signal?.throwIfAborted();
    return this.#namespaces.ensure(containerId);
  }

  async deleteNamespace(containerId: string): Promise<void> {
    this.#namespaces.delete(containerId);
  }

  async connect(member: NetworkMember, spec: EndpointSpec, options: CallOptions = {}): Promise<Endpoint> {
    const network = await this.get(spec.network);
    // The program needs longer to start than everything else here: so it starts first, if it does not run.
    if (hasNames(network)) this.#nameService?.warm();
    const endpoint = await this.#endpoints.connect(network, member, spec, options);
    try {
      await this.#serveNames(member.containerId, options);
    } catch (thrown) {
      await this.#endpoints.disconnect(network, member.containerId);
      throw thrown;
    }
    return endpoint;
  }

  /** The container's resolver is there and up to date, where it has one. */
  async #serveNames(containerId: string, options: CallOptions): Promise<void> {
    const records = this.#endpoints.files.ofContainer(containerId);
    if (records.some(record => record.endpoint.dnsNames.length > 0)) {
      await this.#nameService?.serve(containerId, options);
    }
  }

  async disconnect(containerId: string, networkId: string, options: CallOptions = {}): Promise<void> {
    const network = await this.get(networkId);
    await this.#endpoints.disconnect(network, containerId, options);
    if (hasNames(network)) await this.#nameService?.forget(containerId, this.#named() !== undefined);
  }

  async publish(
    containerId: string,
    endpoints: Endpoint[],
    ports: PortSpec[],
    options: CallOptions = {},
  ): Promise<PublishedPort[]> {
    const ids = new Set(endpoints.map(endpoint => endpoint.endpointId));
    const all = this.#endpoints.files.ofContainer(containerId).filter(record => ids.has(record.endpoint.endpointId));
    // An internal network has no way in from outside either: its ports are for its members, as with Docker.
    const records = all.filter(record => !record.internal && record.hostInterface !== "");
    if (records.length === 0) {
      await this.unpublish(containerId, options);
      return [];
    }
    const { hostAddress } = bridgeOptions(await this.get(records[0]!.endpoint.networkId));
    const member = { containerId, containerName: records[0]!.containerName, records, hostAddress };
    return this.#ports.publish(member, ports, options);
  }

  unpublish(containerId: string, options: CallOptions = {}): Promise<void> {
    return this.#ports.unpublish(containerId, options);
  }

  async release(containerId: string, options: CallOptions = {}): Promise<void> {
    await this.#ports.unpublish(containerId, options);
    const named = this.#endpoints.files.ofContainer(containerId).some(record => record.endpoint.dnsNames.length > 0);
    this.#endpoints.release(containerId);
    // Its sockets would keep the namespace alive.
    if (named) await this.#nameService?.forget(containerId, this.#named() !== undefined);
    this.#namespaces.delete(containerId);
  }

  async members(networkId: string) {
    return this.#endpoints.files
      .ofNetwork(networkId)
      .map(({ containerId, containerName, endpoint }) => ({ containerId, containerName, endpoint }));
  }

  resolverAddress(endpoints: Endpoint[]): string | undefined {
    if (this.#nameService === undefined) return undefined;
    return endpoints.some(endpoint => endpoint.dnsNames.length > 0) ? resolverAddress : undefined;
  }

  async restore(options: CallOptions = {}): Promise<void> {
    await this.#catalog.claimAll(options);
    for (const network of (await this.list()).filter(isBridge)) {
      if (!this.#endpoints.files.isEmpty(network.id)) await this.#bridges.ensure(network, options);
    }
    await this.#rewriteRulesLocked(options);
    await this.tend(options);
  }

  /** A resolver program that was killed is started again; it finds all containers in the records. */
  async tend(options: CallOptions = {}): Promise<void> {
    const named = this.#named();
    if (named !== undefined) await this.#serveNames(named, options);
  }

  /** Some container that has names. */
  #named(): string | undefined {
    const { files } = this.#endpoints;
    const bridges = this.#catalog.read().filter(hasNames);
    return bridges.map(({ id }) => files.containersOf(id)[0]).find(id => id !== undefined);
  }

  async #rewriteRulesLocked(options: CallOptions = {}): Promise<void> {
    await using _lock = await this.#bridges.lock(options);
    this.#rewriteRules();
  }

  /** All rules again from the records, in one transaction; no table where no bridge is up. */
  #rewriteRules(): void {
    const up = this.#catalog.read().filter(network => isBridge(network) && this.#bridges.find(network) !== undefined);
    if (up.length === 0) {
      this.#nft.run("remove all rules", deleteTable(this.#names.table));
      return;
    }
    const ports = this.#portFiles.all().flatMap(record => record.rules);
    this.#nft.run("write all rules again", replaceAll(this.#names.table, up.map(rulesOf), ports));
  }

  async check(
    containers: Set<string>,
    { repair, ...options }: CallOptions & { repair?: boolean } = {},
  ): Promise<string[]> {
    const networks = await this.list();
    await using _lock = await this.#bridges.lock(options);
    let leaks = this.#audit(containers, networks);
    for (let waited_ms = 0; waited_ms < settle_ms && leaks.some(leak => leak.passing); waited_ms += 20) {
      await this.#clock.sleep(20, options);
      leaks = this.#audit(containers, networks);
    }
    const sentences = leaks.filter(leak => !leak.idle).map(leak => leak.sentence);
    if (!repair) return sentences;
    for (const leak of leaks) leak.repair?.();
    if (this.#audit(containers, networks).length > 0) this.#rewriteRules();
    return sentences;
  }

  #audit(containers: Set<string>, networks: Network[]) {
    const ruleset = this.#nft.list(`list table inet ${this.#names.table}`);
    return audit({
      containers,
      networks,
      names: this.#names,
      bridges: this.#bridges,
      namespaces: this.#namespaces,
      endpoints: this.#endpoints,
      ports: this.#portFiles,
      ruleset,
    });
  }
}
