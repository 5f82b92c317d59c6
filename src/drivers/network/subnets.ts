import { BerthError } from "../../base/errors.ts";
import type { AddressPool } from "../../model/network.ts";
import {
  contains,
  formatIp,
  formatSubnet,
  type Ip,
  lastOf,
  overlap,
  parseIp,
  parseSubnet,
  type Subnet,
} from "../netlink/ip.ts";

/** Which subnets to try for a network that names none: `size` bits each, in order. */
export interface DefaultPool {
  base: string;
  size: number;
}

/** As Docker's: 172.17-31/16 first, then 192.168.x/20; then, where those 31 are not enough, 1,024 small ones. */
export const defaultPools: readonly DefaultPool[] = [
  ...Array.from({ length: 15 }, (_, at) => ({ base: `172.${17 + at}.0.0/16`, size: 16 })),
  { base: "192.168.0.0/16", size: 20 },
  { base: "10.200.0.0/14", size: 24 },
];

/** The first subnet of the pools that overlaps none of `taken`. Throws `exhausted`. */
export function chooseSubnet(pools: readonly DefaultPool[], taken: readonly Subnet[]): Subnet {
  for (const pool of pools) {
    const base = parseSubnet(pool.base);
    const last = lastOf(base);
    let candidate: Subnet = { family: base.family, value: base.value, prefixLength: pool.size };
    while (candidate.value <= last) {
      const blocker = taken.filter(other => overlap(candidate, other));
      if (blocker.length === 0) return candidate;
      // Jump behind the furthest blocker: a /8 in the way costs one step, not 256.
      const behind = blocker.map(lastOf).sort((one, other) => (one < other ? 1 : -1))[0]! + 1n;
      const step = 1n << BigInt((base.family === 4 ? 32 : 128) - pool.size);
      candidate = { ...candidate, value: ((behind + step - 1n) / step) * step };
    }
  }
  throw new BerthError("exhausted", "could not find a free subnet: all default address pools are in use on this host", {
    hint: "remove unused networks with 'berth network prune', or name a subnet with --subnet",
  });
}

/** A unique local subnet (RFC 4193) that belongs to the network: fd, then 56 bits of its id. */
export function uniqueLocalSubnet(networkId: string): Subnet {
  return { family: 6, prefixLength: 64, value: BigInt(`0xfd${networkId.slice(0, 14)}0000000000000000`) };
}

/** The gateway unless one is named: the first address that is nobody else's. */
export function gatewayOf(pool: AddressPool): Ip {
  if (pool.gateway !== undefined) return parseIp(pool.gateway);
  const subnet = parseSubnet(pool.subnet);
  const reserved = new Set(Object.values(pool.auxAddresses ?? {}).map(address => parseIp(address).value));
  for (let value = subnet.value + 1n; ; value++) if (!reserved.has(value)) return { family: subnet.family, value };
}

/** The pool as it is stored, or throws `invalid` saying what does not fit. */
export function checkedPool(pool: AddressPool): AddressPool {
  const subnet = parseSubnet(pool.subnet);
  const bits = subnet.family === 4 ? 32 : 128;
  if (bits - subnet.prefixLength < 2) {
    throw new BerthError("invalid", `the subnet ${pool.subnet} has no room for a gateway and a container`, {
      hint: `use a prefix length of at most ${bits - 2}`,
    });
  }
  const inside = (what: string, address: string) => {
    if (!contains(subnet, parseIp(address))) {
      throw new BerthError("invalid", `the ${what} ${address} is not in the subnet ${pool.subnet}`);
    }
  };
  for (const [name, address] of Object.entries(pool.auxAddresses ?? {})) inside(`auxiliary address ${name}`, address);
  if (pool.gateway !== undefined) inside("gateway", pool.gateway);
  if (pool.ipRange !== undefined) {
    const range = parseSubnet(pool.ipRange);
    if (!contains(subnet, range) || range.prefixLength < subnet.prefixLength) {
      throw new BerthError("invalid", `the range ${pool.ipRange} is not in the subnet ${pool.subnet}`);
    }
  }
  return { ...pool, subnet: formatSubnet(subnet), gateway: formatIp(gatewayOf(pool)) };
}

/** Addresses that a container may get: the range without network, broadcast, gateway and auxiliary addresses. */
export class AddressRange {
  readonly subnet: Subnet;
  readonly #first: bigint;
  readonly #last: bigint;
  readonly #reserved: Set<bigint>;

  constructor(pool: AddressPool) {
    this.subnet = parseSubnet(pool.subnet);
    const range = pool.ipRange === undefined ? this.subnet : parseSubnet(pool.ipRange);
    this.#first = range.value;
    this.#last = lastOf(range);
    this.#reserved = new Set([
      this.subnet.value,
      gatewayOf(pool).value,
      ...Object.values(pool.auxAddresses ?? {}).map(address => parseIp(address).value),
      ...(this.subnet.family === 4 ? [lastOf(this.subnet)] : []),
    ]);
  }

  /** Whether a container may ask for this address by name: anywhere in the subnet, outside the range too. */
  allows(ip: Ip): boolean {
    return contains(this.subnet, ip) && !this.#reserved.has(ip.value);
  }

  /**
   * The next free address after `previous`, going round at the end: an address that was given back rests as long as possible, since caches out there
   * still know its last owner. Undefined when all are taken.
   */
  next(taken: { has(value: bigint): boolean; size: number }, previous: bigint | undefined): Ip | undefined {
    const start =
      previous === undefined || previous < this.#first || previous >= this.#last ? this.#first : previous + 1n;
    const free = this.#search(start, this.#last, taken) ?? this.#search(this.#first, start - 1n, taken);
    return free === undefined ? undefined : { family: this.subnet.family, value: free };
  }

  #search(from: bigint, to: bigint, taken: { has(value: bigint): boolean }): bigint | undefined {
    for (let value = from; value <= to; value++) {
      if (!taken.has(value) && !this.#reserved.has(value)) return value;
    }
    return undefined;
  }
}
