import { isIP } from "node:net";
import { BerthError } from "../../base/errors.ts";

/** An address as a number, so that ranges and counting are plain arithmetic for both families. */
export interface Ip {
  family: 4 | 6;
  value: bigint;
}

export interface Subnet extends Ip {
  /** Bits of `value` that are the network's; the rest of `value` is 0. */
  prefixLength: number;
}

export const bitsOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** Throws `invalid`. Zones ("%eth0") are not accepted. */
export function parseIp(text: string): Ip {
  const ip = tryParseIp(text);
  if (ip === undefined) throw new BerthError("invalid", `"${text}" is not an IP address`);
  return ip;
}

export function tryParseIp(text: string): Ip | undefined {
  const family = isIP(text);
  if (family === 4)
    return { family, value: BigInt(text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0)) };
  if (family === 6 && !text.includes("%")) return { family, value: ipv6Value(text) };
  return undefined;
}

function ipv6Value(text: string): bigint {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain = dotted ? `${dotted[1]}${hexPair(dotted[2]!, dotted[3]!)}:${hexPair(dotted[4]!, dotted[5]!)}` : text;
  const [left = "", right] = plain.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

const hexPair = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);

/** IPv6 as RFC 5952 wants it: lower case, the longest run of zero groups shortened. */
export function formatIp({ family, value }: Ip): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  const runs = [
    ...groups
      .map(group => (group === "0" ? "0" : "x"))
      .join("")
      .matchAll(/0{2,}/g),
  ];
  const longest = runs.sort((one, other) => other[0].length - one[0].length || one.index - other.index)[0];
  if (longest === undefined) return groups.join(":");
  return `${groups.slice(0, longest.index).join(":")}::${groups.slice(longest.index + longest[0].length).join(":")}`;
}

/** "10.1.2.3/24"; host bits are cleared. Throws `invalid`. */
export function parseSubnet(text: string): Subnet {
  const [address = "", length = ""] = text.split("/");
  const ip = tryParseIp(address);
  const prefixLength = Number(length);
  if (ip === undefined || !/^\d{1,3}$/.test(length) || prefixLength > bitsOf(ip.family)) {
    throw new BerthError("invalid", `"${text}" is not a subnet`, { hint: "write it as 10.89.0.0/24" });
  }
  return { family: ip.family, prefixLength, value: ip.value - (ip.value % sizeOf({ ...ip, prefixLength })) };
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatIp(subnet)}/${subnet.prefixLength}`;
}

/** Number of addresses. */
export function sizeOf(subnet: Subnet): bigint {
  return 1n << BigInt(bitsOf(subnet.family) - subnet.prefixLength);
}

export const lastOf = (subnet: Subnet): bigint => subnet.value + sizeOf(subnet) - 1n;

export function contains(subnet: Subnet, ip: Ip): boolean {
  return ip.family === subnet.family && ip.value >= subnet.value && ip.value <= lastOf(subnet);
}

export function overlap(one: Subnet, other: Subnet): boolean {
  return one.family === other.family && one.value <= lastOf(other) && other.value <= lastOf(one);
}

/** Network byte order. */
export function ipBytes({ family, value }: Ip): Buffer {
  return Buffer.from(value.toString(16).padStart(bitsOf(family) / 4, "0"), "hex");
}

export function ipFromBytes(bytes: Buffer): Ip {
  return { family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${bytes.toString("hex")}`) };
}
