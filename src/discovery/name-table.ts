import type { Endpoint, EndpointSpec, Protocol } from "../model/container.ts";

/** A container in a network, as name resolution sees it. */
export interface NameRecord {
  containerId: string;
  netnsPath: string;
  /** The network has no way out. */
  internal: boolean;
  /** Nameservers of its own for what is no container's name; absent: the host's. */
  nameservers?: string[];
  /** "container[:alias]": further names for this container alone. */
  links?: string[];
  /** "80/tcp" or "8000-8010/udp". */
  exposedPorts?: string[];
  endpoint: Pick<Endpoint, "networkId" | "networkName" | "dnsNames" | "ipv4" | "ipv6"> & {
    requested?: Pick<EndpointSpec, "portNames">;
  };
}

export interface Found {
  ipv4: string[];
  ipv6: string[];
}

export interface FoundPort {
  /** A name for one container alone. */
  target: string;
  port: number;
}

/** Who is called what in which network. A container sees the names of the networks that it is in, and no others. */
export class NameTable {
  readonly #containers = new Map<string, NameRecord[]>();
  /** network id -> name -> records with that name. */
  readonly #names = new Map<string, Map<string, Set<NameRecord>>>();
  /** network id -> address -> record. */
  readonly #addresses = new Map<string, Map<string, NameRecord>>();

  /** Replaces what is known of the container; no records: it is forgotten. */
  set(containerId: string, records: NameRecord[]): void {
    for (const record of this.#containers.get(containerId) ?? []) this.#unlist(record);
    this.#containers.delete(containerId);
    if (records.length === 0) return;
    this.#containers.set(containerId, records);
    for (const record of records) this.#list(record);
  }

  of(containerId: string): NameRecord[] {
    return this.#containers.get(containerId) ?? [];
  }

  /**
   * Addresses behind a name as `asker` sees it, or undefined where there is no such name. "web.backend" is "web" in the network "backend" alone. Links
   * of the asker come first.
   */
  find(asker: string, name: string): Found | undefined {
    const records = this.#recordsNamed(asker, name);
    if (records.length === 0) return undefined;
    const values = (pick: (record: NameRecord) => string | undefined) => [
      ...new Set(records.map(pick).filter(value => value !== undefined)),
    ];
    return { ipv4: values(({ endpoint }) => endpoint.ipv4), ipv6: values(({ endpoint }) => endpoint.ipv6) };
  }

  /** Where `port` (a number or a name) of those with this name is served; undefined where there is no such name. */
  findPort(asker: string, name: string, port: string, protocol: Protocol): FoundPort[] | undefined {
    const records = this.#recordsNamed(asker, name);
    if (records.length === 0) return undefined;
    const found = records.flatMap(({ endpoint, exposedPorts = [] }) => {
      const { dnsNames, networkName, requested } = endpoint;
      const named = Object.entries(requested?.portNames ?? {}).find(
        ([key, value]) => value.toLowerCase() === port && key.endsWith(`/${protocol}`),
      );
      const number = named ? Number.parseInt(named[0], 10) : Number(port);
      if (!named && !exposedPorts.some(exposed => includesPort(exposed, number, protocol))) return [];
      return [{ target: `${dnsNames[0]}.${networkName}`, port: number }];
    });
    return [...new Map(found.map(each => [`${each.target} ${each.port}`, each])).values()];
  }

  #recordsNamed(asker: string, name: string): NameRecord[] {
    const wanted = name.toLowerCase();
    const linked = this.#linkTarget(asker, wanted);
    return this.of(asker).flatMap(({ endpoint }) => {
      const { networkId, networkName } = endpoint;
      const suffix = `.${networkName.toLowerCase()}`;
      const names = [linked ?? wanted, ...(wanted.endsWith(suffix) ? [wanted.slice(0, -suffix.length)] : [])];
      return names.flatMap(each => [...(this.#names.get(networkId)?.get(each) ?? [])]);
    });
  }

  /** The name of an address in a network that `asker` is in: "web.backend". */
  reverse(asker: string, address: string): string | undefined {
    for (const { endpoint } of this.of(asker)) {
      const found = this.#addresses.get(endpoint.networkId)?.get(address);
      if (found !== undefined) return `${found.endpoint.dnsNames[0]}.${endpoint.networkName}`;
    }
    return undefined;
  }

  #linkTarget(asker: string, name: string): string | undefined {
    const links = this.of(asker).flatMap(record => record.links ?? []);
    const link = links.find(each => (each.split(":")[1] ?? each).toLowerCase() === name);
    return link?.split(":")[0]?.toLowerCase();
  }

  #list(record: NameRecord): void {
    const { networkId, dnsNames, ipv4, ipv6 } = record.endpoint;
    const names = getOrMake(this.#names, networkId);
    for (const name of dnsNames) {
      const key = name.toLowerCase();
      names.set(key, (names.get(key) ?? new Set()).add(record));
    }
    const addresses = getOrMake(this.#addresses, networkId);
    if (dnsNames.length === 0) return;
    for (const address of [ipv4, ipv6]) if (address !== undefined) addresses.set(address, record);
  }

  #unlist(record: NameRecord): void {
    const { networkId, dnsNames, ipv4, ipv6 } = record.endpoint;
    const names = this.#names.get(networkId);
    for (const name of dnsNames) {
      const key = name.toLowerCase();
      names?.get(key)?.delete(record);
      if (names?.get(key)?.size === 0) names.delete(key);
    }
    const addresses = this.#addresses.get(networkId);
    for (const address of [ipv4, ipv6]) {
      if (address !== undefined && addresses?.get(address) === record) addresses.delete(address);
    }
    if (names?.size === 0) this.#names.delete(networkId);
    if (addresses?.size === 0) this.#addresses.delete(networkId);
  }
}

/** `exposed` is "80/tcp" or "8000-8010/udp". */
function includesPort(exposed: string, port: number, protocol: Protocol): boolean {
  const [range = "", of] = exposed.split("/");
  const [first, last = first] = range.split("-").map(Number);
  return of === protocol && port >= first! && port <= last!;
}

function getOrMake<T>(maps: Map<string, Map<string, T>>, key: string): Map<string, T> {
  const there = maps.get(key);
  if (there !== undefined) return there;
  const made = new Map<string, T>();
  maps.set(key, made);
  return made;
}
