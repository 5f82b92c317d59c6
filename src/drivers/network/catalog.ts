import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import type { AddressPool, Network, NetworkSpec } from "../../model/network.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Locks } from "../../ports/locks.ts";
import { claim, claimant, namesIn, readJson, recordsIn, removeFile, unclaim, writeJson } from "../linux/state-files.ts";
import { listAddresses, parseAddress, subnetOf } from "../netlink/addresses.ts";
import { formatSubnet, overlap, parseSubnet, type Subnet } from "../netlink/ip.ts";
import { getLink, parseLink } from "../netlink/links.ts";
import { NetlinkSocket } from "../netlink/netlink-socket.ts";
import { listRoutes, parseRoute } from "../netlink/routes.ts";
import { hasIpv6 } from "./host-settings.ts";
import { bridgeOptions } from "./network-options.ts";
import type { KernelNames, NetworkDirectories } from "./paths.ts";
import { checkedPool, chooseSubnet, type DefaultPool, uniqueLocalSubnet } from "./subnets.ts";

export interface CatalogOptions {
  directories: NetworkDirectories;
  names: KernelNames;
  locks: Locks;
  clock: Clock;
  defaultPools: readonly DefaultPool[];
}

/** The networks that are defined on this host: `<definitions>/<id>.json`, written durably, each with subnets that overlap nothing else here. */
export class Catalog {
  readonly #options: CatalogOptions;
  #cache: { changed: bigint; networks: Network[] } | undefined;

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /** All, by name. The built-in ones are made when somebody looks for the first time. */
  async list(options: CallOptions = {}): Promise<Network[]> {
    const found = this.read();
    if (found.some(network => network.builtin)) return found;
    await using _lock = await this.#lock(options);
    if (!this.read().some(network => network.builtin)) this.#defineBuiltins();
    return this.read();
  }

  /** What is defined now, without making anything. */
  read(): Network[] {
    const directory = this.#options.directories.definitions;
    // Definitions are only ever renamed into place or removed, which changes the directory's time. Its clock ticks in some milliseconds: a change within the
    // last tenth of a second may hide another one.
    const changed = statSync(directory, { throwIfNoEntry: false, bigint: true })?.mtimeNs;
    if (changed === undefined) return [];
    const settled = this.#options.clock.now_ms() - Number(changed / 1_000_000n) > 100;
    if (!settled || this.#cache?.changed !== changed) {
      const networks = recordsIn<Network>(directory).map(({ record }) => record);
      this.#cache = { changed, networks: networks.sort((one, other) => (one.name < other.name ? -1 : 1)) };
    }
    return this.#cache.networks;
  }

  /** By name, id or the beginning of an id. "default" is Docker's other word for the default bridge. */
  async get(reference: string, options: CallOptions = {}): Promise<Network> {
    const networks = await this.list(options);
    const wanted = reference === "default" ? "bridge" : reference;
    const exact = networks.find(({ name, id }) => name === wanted || id === wanted);
    if (exact !== undefined) return exact;
    const byPrefix = reference === "" ? [] : networks.filter(({ id }) => id.startsWith(reference));
    if (byPrefix.length === 1) return byPrefix[0]!;
    if (byPrefix.length > 1) {
      throw new BerthError("invalid", `could not find the network ${reference}: ${byPrefix.length} ids begin so`, {
        hint: `type more of the id, or a name: ${byPrefix.map(({ name }) => name).join(", ")}`,
      });
    }
    throw new BerthError("not_found", `network ${reference} not found`, { hint: "see 'berth network ls'" });
  }

  async create(spec: NetworkSpec, options: CallOptions = {}): Promise<Network> {
    checkSpec(spec);
    await this.list(options);
    await using _lock = await this.#lock(options);
    const there = this.read();
    if (there.some(({ name }) => name === spec.name)) {
      throw new BerthError("already_exists", `could not create the network ${spec.name}: there is one with this name`, {
        hint: "choose another name, or remove it with 'berth network rm'",
      });
    }
    const id = newId();
    const interfaceName = bridgeOptions(spec).bridgeName ?? this.#options.names.bridge(id);
    this.#refuseForeignInterface(spec.name, interfaceName, there);
    return this.#define({
      ...spec,
      id,
      interfaceName,
      builtin: false,
      createdAt: this.#now(),
      pools: spec.pools ?? [],
    });
  }

  /** Who may still use it is the caller's business. */
  async remove(network: Network, options: CallOptions = {}): Promise<void> {
    await using _lock = await this.#lock(options);
    removeFile(this.#path(network.id));
    for (const pool of network.pools) unclaim(this.#claimPath(parseSubnet(pool.subnet)), this.#path(network.id));
  }

  /** Claims of the machine's subnets again, after a reboot has emptied /run. */
  async claimAll(options: CallOptions = {}): Promise<void> {
    const networks = await this.list(options);
    await using _lock = await this.#lock(options);
    for (const network of networks) this.#claimSubnets(network);
  }

  /** One process on the whole machine at a time chooses subnets. */
  #lock(options: CallOptions) {
    const { locks, directories } = this.#options;
    mkdirSync(directories.hostWide, { recursive: true, mode: 0o700 });
    return locks.acquire(join(directories.hostWide, "subnets.lock"), options);
  }

  #defineBuiltins(): void {
    const common = { options: {}, labels: {}, builtin: true, createdAt: this.#now(), pools: [] };
    const bridge = { ...common, name: "bridge", driver: "bridge", interfaceName: this.#options.names.defaultBridge };
    this.#define({ ...bridge, id: newId() });
    for (const name of ["host", "none"]) {
      const driver = name === "host" ? "host" : "null";
      this.#write({ ...common, id: newId(), name, driver, interfaceName: "" });
    }
  }

  #define(draft: Network): Network {
    const network = { ...draft, pools: this.#choosePools(draft) };
    this.#write(network);
    this.#claimSubnets(network);
    return network;
  }

  #write(network: Network): void {
    writeJson(this.#path(network.id), network, { durable: true });
  }

  /** What was asked for, checked, and what is missing, chosen. */
  #choosePools(network: Network): AddressPool[] {
    const asked = network.pools.filter(pool => pool.subnet !== "").map(checkedPool);
    const taken = this.#taken();
    for (const pool of asked) refuseOverlap(network.name, parseSubnet(pool.subnet), taken);
    const has = (family: 4 | 6) => asked.some(pool => parseSubnet(pool.subnet).family === family);
    const chosen: AddressPool[] = [];
    if (network.enableIpv4 !== false && !has(4)) {
      const subnet = chooseSubnet(
        this.#options.defaultPools,
        taken.map(entry => entry.subnet),
      );
      chosen.push(checkedPool({ subnet: formatSubnet(subnet) }));
    }
    if (network.enableIpv6 && !has(6))
      chosen.push(checkedPool({ subnet: formatSubnet(uniqueLocalSubnet(network.id)) }));
    if (has(6) && !network.enableIpv6) {
      throw new BerthError(
        "invalid",
        `could not create the network ${network.name}: it has an IPv6 subnet, and IPv6 is not enabled`,
        {
          hint: "add --ipv6",
        },
      );
    }
    return [...chosen, ...asked];
  }

  /** Every subnet that something on this machine uses: routes, addresses, our definitions, and the claims of other instances. */
  #taken(): { subnet: Subnet; by: string }[] {
    using socket = new NetlinkSocket();
    const routes = socket
      .dump(listRoutes(), parseRoute)
      .filter(route => !route.local && route.destination?.prefixLength);
    const addresses = socket.dump(listAddresses(), parseAddress);
    const claims = join(this.#options.directories.hostWide, "subnets");
    return [
      ...routes.map(route => ({ subnet: route.destination!, by: `the route to ${formatSubnet(route.destination!)}` })),
      ...addresses.map(address => ({ subnet: subnetOf(address), by: "an address of this host" })),
      ...this.read().flatMap(({ name, pools }) =>
        pools.map(pool => ({ subnet: parseSubnet(pool.subnet), by: `the network ${name}` })),
      ),
      ...namesIn(claims).flatMap(name => {
        const owner = claimant(join(claims, name));
        // The definition behind the claim is gone with its instance: so is the claim.
        if (owner === undefined || readJson(owner) === undefined) return [];
        return [{ subnet: parseSubnet(name.replace("_", "/")), by: `another instance of Berth (${owner})` }];
      }),
    ];
  }

  #claimSubnets(network: Network): void {
    for (const pool of network.pools) {
      const path = this.#claimPath(parseSubnet(pool.subnet));
      const owner = claimant(path);
      if (owner !== undefined && readJson(owner) === undefined) unclaim(path, owner);
      claim(path, this.#path(network.id));
    }
  }

  #refuseForeignInterface(network: string, name: string, there: Network[]): void {
    using socket = new NetlinkSocket();
    const taken =
      there.some(other => other.interfaceName === name) || socket.get(getLink(name), parseLink) !== undefined;
    if (!taken) return;
    throw new BerthError("conflict", `could not create the network ${network}: there is an interface named ${name}`, {
      hint: "choose another name with the option com.docker.network.bridge.name",
    });
  }

  #claimPath(subnet: Subnet): string {
    return join(this.#options.directories.hostWide, "subnets", formatSubnet(subnet).replace("/", "_"));
  }

  #path(id: string): string {
    return join(this.#options.directories.definitions, `${id}.json`);
  }

  #now(): string {
    return new Date(this.#options.clock.now_ms()).toISOString();
  }
}

function refuseOverlap(name: string, subnet: Subnet, taken: { subnet: Subnet; by: string }[]): void {
  const other = taken.find(entry => overlap(entry.subnet, subnet));
  if (other === undefined) return;
  throw new BerthError(
    "conflict",
    `could not create the network ${name}: ${formatSubnet(subnet)} overlaps ${formatSubnet(other.subnet)}, used by ${other.by}`,
    {
      hint: "choose another subnet, or none: a free one is found then",
    },
  );
}

function checkSpec(spec: NetworkSpec): void {
  const what = `could not create the network ${spec.name}`;
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/.test(spec.name)) {
    throw new BerthError("invalid", `could not create a network named "${spec.name}"`, {
      hint: "use letters, digits, '_', '.' and '-', beginning with a letter or digit",
    });
  }
  if (["host", "none", "bridge", "default"].includes(spec.name)) {
    throw new BerthError("forbidden", `${what}: the name is one of the built-in networks`);
  }
  if (spec.driver !== "" && spec.driver !== "bridge") {
    throw new BerthError("unsupported", `${what}: there is no network driver "${spec.driver}" on a single host`, {
      hint: "use the driver bridge",
    });
  }
  if (spec.ipamDriver && spec.ipamDriver !== "default") {
    throw new BerthError("unsupported", `${what}: there is no address driver "${spec.ipamDriver}"`, {
      hint: "leave it out",
    });
  }
  if (spec.enableIpv4 === false && !spec.enableIpv6) {
    throw new BerthError("invalid", `${what}: it has neither IPv4 nor IPv6`, { hint: "add --ipv6" });
  }
  if (spec.enableIpv6 && !hasIpv6()) {
    throw new BerthError("unsupported", `${what}: IPv6 is switched off on this host (net.ipv6.conf.all.disable_ipv6)`);
  }
}
