import { BerthError } from "../../base/errors.ts";
import type { Endpoint, PortSpec, Protocol, PublishedPort } from "../../model/container.ts";
import { formatIp, parseIp } from "../netlink/ip.ts";
import type { PortRule } from "./rules.ts";

/** One address family of one wanted port: the host's side is chosen from `firstPort`..`lastPort`. */
export interface PortWish {
  protocol: Protocol;
  /** "0.0.0.0", "::", or one address of the host. */
  hostAddress: string;
  firstPort: number;
  lastPort: number;
  /** Any will do: searched from a random place, to spread. */
  anyPort: boolean;
  address: string;
  containerPort: number;
  shared?: string;
}

export interface PortTargets {
  ipv4?: Endpoint;
  ipv6?: Endpoint;
  /** Where ports go that name no host address. */
  defaultHostAddress?: string;
}

export const anyAddress = (hostAddress: string): boolean => hostAddress === "0.0.0.0" || hostAddress === "::";

/**
 * What a port specification means for a container with these endpoints. One without a host address gives a wish for each family the container has;
 * they must get the same host port, so they come together.
 */
export function portWishes(
  spec: PortSpec,
  targets: PortTargets,
  freePorts: { first: number; last: number },
): PortWish[] {
  const host = spec.hostAddress || targets.defaultHostAddress || "";
  const anyPort = spec.hostPort === undefined || spec.hostPort === 0;
  const common = {
    protocol: spec.protocol,
    containerPort: checkedPort(spec.containerPort),
    firstPort: anyPort ? freePorts.first : checkedPort(spec.hostPort!),
    lastPort: anyPort ? freePorts.last : checkedPort(spec.hostPortEnd ?? spec.hostPort!),
    anyPort,
    shared: spec.shared,
  };
  const wishes: PortWish[] = [];
  if (host === "" || parseIp(host).family === 4) {
    const address = targets.ipv4?.ipv4;
    if (address !== undefined) wishes.push({ ...common, hostAddress: host === "" ? "0.0.0.0" : host, address });
  }
  if (host === "" || parseIp(host).family === 6) {
    const address = targets.ipv6?.ipv6;
    if (address !== undefined)
      wishes.push({ ...common, hostAddress: host === "" ? "::" : formatIp(parseIp(host)), address });
  }
  if (wishes.length === 0 || host === "::1") refuse(spec, host);
  return wishes;
}

function refuse(spec: PortSpec, host: string): never {
  const what = `could not publish port ${spec.containerPort}/${spec.protocol} on ${host || "the host"}`;
  if (host === "::1") {
    throw new BerthError("unsupported", `${what}: the kernel does not forward the IPv6 loopback address`, {
      hint: "publish on 127.0.0.1",
    });
  }
  throw new BerthError("invalid", `${what}: the container has no IPv${parseIp(host).family} address`, {
    hint: "publish on an address of the other family, or connect it to a network that has this one",
  });
}

function checkedPort(port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw new BerthError("invalid", `${port} is not a port`, { hint: "ports are 1 to 65535" });
}

/** Host ports to try, in order. */
export function* candidates(wish: PortWish, random: () => number): Generator<number> {
  const count = wish.lastPort - wish.firstPort + 1;
  const offset = wish.anyPort ? Math.floor(random() * count) : 0;
  for (let at = 0; at < count; at++) yield wish.firstPort + ((offset + at) % count);
}

export function published(wish: PortWish, hostPort: number): PublishedPort {
  const { containerPort, protocol, hostAddress, shared } = wish;
  return { containerPort, protocol, hostAddress, hostPort, ...(shared === undefined ? {} : { shared }) };
}

export function ruleOf(wish: PortWish, hostPort: number): PortRule {
  return {
    protocol: wish.protocol,
    hostAddress: anyAddress(wish.hostAddress) ? undefined : wish.hostAddress,
    hostPort,
    address: wish.address,
    port: wish.containerPort,
    ...(wish.shared === undefined ? {} : { shared: wish.shared }),
  };
}

/** Whether two published ports want the same packets, and are not meant to share them. */
export function collide(one: PublishedPort, other: PublishedPort): boolean {
  if (one.protocol !== other.protocol || one.hostPort !== other.hostPort) return false;
  if (one.shared !== undefined && one.shared === other.shared) return false;
  const [first, second] = [parseIp(one.hostAddress), parseIp(other.hostAddress)];
  if (first.family !== second.family) return false;
  return anyAddress(one.hostAddress) || anyAddress(other.hostAddress) || first.value === second.value;
}
