import type { Endpoint, EndpointSpec, PortSpec, PublishedPort } from "../model/container.ts";
import type { Network, NetworkSpec } from "../model/network.ts";
import type { CallOptions } from "./content.ts";

/** What a container brings to the networks it joins. */
export interface NetworkMember {
  containerId: string;
  containerName: string;
  hostname: string;
  /** Path of its network namespace, made by `createNamespace`. */
  netnsPath: string;
  /** Nameservers of its own (--dns), asked for what is no container's name; absent: the host's. */
  nameservers?: string[];
  /** "container[:alias]": further names that resolve for this container alone. */
  links?: string[];
  /** Ports that it says it serves, "80/tcp" or "8000-8010/udp": SRV records answer with them. */
  exposedPorts?: string[];
}

/**
 * All networks of one host: definitions, addresses, endpoints, published ports and name resolution. State is on disk and every change is atomic,
 * so that any process of the engine can call it and none has to stay. No method leaves half a change behind when it throws or is killed: `check` finds what
 * a kill left, `repair` removes it.
 */
export interface NetworkService {
  create(spec: NetworkSpec, options?: CallOptions): Promise<Network>;
  /** Name, id or unambiguous id prefix; throws `not_found`. */
  get(reference: string): Promise<Network>;
  list(): Promise<Network[]>;
  /** Throws `in_use` naming the containers. */
  remove(reference: string, options?: CallOptions): Promise<void>;
  /** Removes those with no endpoint (and not built in); `keep` filters. Returns names. */
  prune(options: CallOptions & { keep?: (network: Network) => boolean }): Promise<string[]>;

  /** Makes (or finds) the container's namespace with loopback up. */
  createNamespace(containerId: string, options?: CallOptions): Promise<string>;
  deleteNamespace(containerId: string, options?: CallOptions): Promise<void>;
  /** Takes an address and plugs the namespace in. Throws `exhausted` when the pool is used up, `already_exists` when the address is taken. */
  connect(member: NetworkMember, spec: EndpointSpec, options?: CallOptions): Promise<Endpoint>;
  /** Reserve an address without plugging in (container created, not running); `connect` then uses it. Not needed for dynamic addresses. */
  disconnect(containerId: string, networkId: string, options?: CallOptions): Promise<void>;
  /** Publishes; throws `in_use` naming who holds a port. Replaces what the container had published before. */
  publish(
    containerId: string,
    endpoints: Endpoint[],
    ports: PortSpec[],
    options?: CallOptions,
  ): Promise<PublishedPort[]>;
  unpublish(containerId: string, options?: CallOptions): Promise<void>;
  /** Everything of one container, idempotent: ports, endpoints, addresses, names, namespace. */
  release(containerId: string, options?: CallOptions): Promise<void>;
  /** Who is in a network, from its own records. */
  members(networkId: string): Promise<{ containerId: string; containerName: string; endpoint: Endpoint }[]>;
  /** Nameserver to put into a member's resolv.conf, or undefined where the host's own are to be used (default bridge). */
  resolverAddress(endpoints: Endpoint[]): string | undefined;
  /** After a host reboot or firewall flush: makes bridges and rules again for what is recorded. Idempotent. */
  restore(options?: CallOptions): Promise<void>;
  /** Starts again what runs beside the engine (name resolution) where it was killed. Cheap: whoever stays may call it every few seconds. */
  tend(options?: CallOptions): Promise<void>;
  /** Leaks relative to the containers that exist; sentences. `repair` also removes them. */
  check(containers: Set<string>, options?: CallOptions & { repair?: boolean }): Promise<string[]>;
}
