import { familyNumber } from "./addresses.ts";
import { formatIp, type Ip, ipBytes, ipFromBytes, type Subnet } from "./ip.ts";
import {
  attribute,
  decodeAttributes,
  type NetlinkMessage,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  u32Attribute,
} from "./message.ts";

// linux/rtnetlink.h
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_TABLE = 15;
const RT_TABLE_MAIN = 254;
const RT_TABLE_LOCAL = 255;
const RTPROT_STATIC = 4;
const RTPROT_RA = 9;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_NOWHERE = 255;
const RTN_UNICAST = 1;
/** The kernel gives IPv6 routes this metric when none is asked for; naming it makes replacing exact. */
const ip6Metric = 1024;

export interface Route {
  family: 4 | 6;
  /** Absent: the default route. */
  destination?: Subnet;
  gateway?: Ip;
  /** Index of the interface. */
  interface: number;
  local: boolean;
  /** Made by the kernel from a router advertisement. */
  advertised: boolean;
}

function header(family: 4 | 6, prefixLength: number, scope: number): Buffer {
  const out = Buffer.alloc(12);
  out.writeUInt8(familyNumber(family), 0);
  out.writeUInt8(prefixLength, 1);
  out.writeUInt8(RT_TABLE_MAIN, 4);
  out.writeUInt8(RTPROT_STATIC, 5);
  out.writeUInt8(scope, 6);
  out.writeUInt8(RTN_UNICAST, 7);
  return out;
}

/** Sets the one default route of the gateway's family, whatever it was before. */
export function setDefaultRoute(gateway: Ip, interfaceIndex: number): NetlinkMessage {
  const parts = [
    header(gateway.family, 0, RT_SCOPE_UNIVERSE),
    attribute(RTA_GATEWAY, ipBytes(gateway)),
    u32Attribute(RTA_OIF, interfaceIndex),
    ...(gateway.family === 6 ? [u32Attribute(RTA_PRIORITY, ip6Metric)] : []),
  ];
  const what = `route through the gateway ${formatIp(gateway)}`;
  return { what, type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE, body: Buffer.concat(parts) };
}

export function deleteDefaultRoute(family: 4 | 6): NetlinkMessage {
  const body = header(family, 0, RT_SCOPE_NOWHERE);
  return { what: `delete the IPv${family} default route`, type: RTM_DELROUTE, flags: 0, body };
}

/** Of one family, or of both. */
export function listRoutes(family?: 4 | 6): NetlinkMessage {
  const body = Buffer.alloc(12);
  if (family !== undefined) body.writeUInt8(familyNumber(family), 0);
  return { what: "list the routes", type: RTM_GETROUTE, flags: 0, body };
}

/** Undefined for what is not a unicast route (broadcast and multicast entries). */
export function parseRoute(body: Buffer): Route | undefined {
  const attributes = decodeAttributes(body.subarray(12));
  const family = body.readUInt8(0) === familyNumber(4) ? 4 : 6;
  const table = attributes.get(RTA_TABLE)?.readUInt32LE(0) ?? body.readUInt8(4);
  const type = body.readUInt8(7);
  if (type !== RTN_UNICAST && table !== RT_TABLE_LOCAL) return undefined;
  const destination = attributes.get(RTA_DST);
  const gateway = attributes.get(RTA_GATEWAY);
  return {
    family,
    destination: destination && { ...ipFromBytes(destination), prefixLength: body.readUInt8(1) },
    gateway: gateway && ipFromBytes(gateway),
    interface: attributes.get(RTA_OIF)?.readUInt32LE(0) ?? 0,
    local: table === RT_TABLE_LOCAL,
    advertised: body.readUInt8(5) === RTPROT_RA,
  };
}
