import { macBytes, macText } from "./mac.ts";
import {
  attribute,
  decodeAttributes,
  type NetlinkMessage,
  NLM_F_CREATE,
  NLM_F_EXCL,
  nested,
  textAttribute,
  textOf,
  u8Attribute,
  u32Attribute,
} from "./message.ts";

// linux/rtnetlink.h, linux/if_link.h, linux/veth.h
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_PROTINFO = 12;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_AF_SPEC = 26;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const VETH_INFO_PEER = 1;
const IFLA_BRPORT_STATE = 1;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_FLUSH = 24;
const IFLA_BRPORT_ISOLATED = 33;
const BR_STATE_DISABLED = 0;
const IFF_UP = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const AF_BRIDGE = 7;
const AF_INET6 = 10;

export interface Link {
  index: number;
  name: string;
  kind: string;
  alias: string;
  macAddress: string;
  mtu: number;
  up: boolean;
  /** Index of the bridge that it is a port of, or 0. */
  master: number;
  /** Of a veth: index of the other end, in its own namespace. */
  peer: number;
}

/** `interfaceinfo` header: 16 bytes. */
function header(options: { index?: number; flags?: number; change?: number; family?: number } = {}): Buffer {
  const out = Buffer.alloc(16);
  out.writeUInt8(options.family ?? 0, 0);
  out.writeInt32LE(options.index ?? 0, 4);
  out.writeUInt32LE(options.flags ?? 0, 8);
  out.writeUInt32LE(options.change ?? 0, 12);
  return out;
}

export interface BridgeSettings {
  name: string;
  macAddress: string;
  mtu?: number;
}

/** Makes a bridge, down: `setUp` when its addresses are in place. */
export function addBridge({ name, macAddress, mtu }: BridgeSettings): NetlinkMessage {
  const parts = [
    header(),
    textAttribute(IFLA_IFNAME, name),
    attribute(IFLA_ADDRESS, macBytes(macAddress)),
    ...(mtu === undefined ? [] : [u32Attribute(IFLA_MTU, mtu)]),
    nested(IFLA_LINKINFO, textAttribute(IFLA_INFO_KIND, "bridge")),
  ];
  return create(`make the bridge ${name}`, parts);
}

export interface VethSettings {
  name: string;
  /** Index of the bridge that this end becomes a port of. */
  master: number;
  mtu?: number;
  peer: {
    name: string;
    macAddress: string;
    /** Open descriptor of the network namespace in which the other end appears. */
    namespaceFd: number;
  };
}

/** Makes a veth pair: this end up and in its bridge, the other down in its namespace. */
export function addVeth({ name, master, mtu, peer }: VethSettings): NetlinkMessage {
  const size = mtu === undefined ? [] : [u32Attribute(IFLA_MTU, mtu)];
  const other = Buffer.concat([
    header(),
    textAttribute(IFLA_IFNAME, peer.name),
    attribute(IFLA_ADDRESS, macBytes(peer.macAddress)),
    u32Attribute(IFLA_NET_NS_FD, peer.namespaceFd),
    ...size,
  ]);
  const data = nested(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, other));
  return create(`make the interface ${name} with ${peer.name} in the container`, [
    header({ flags: IFF_UP, change: IFF_UP }),
    textAttribute(IFLA_IFNAME, name),
    u32Attribute(IFLA_MASTER, master),
    ...size,
    nested(IFLA_LINKINFO, textAttribute(IFLA_INFO_KIND, "veth"), data),
  ]);
}

function create(what: string, parts: Buffer[]): NetlinkMessage {
  return { what, type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, body: Buffer.concat(parts) };
}

/** Free text that stays with the link (`ip link` shows it): here the owner's name. At most 255 bytes. */
export function setAlias(name: string, alias: string): NetlinkMessage {
  const body = Buffer.concat([header(), textAttribute(IFLA_IFNAME, name), attribute(IFLA_IFALIAS, Buffer.from(alias))]);
  return { what: `label the interface ${name}`, type: RTM_SETLINK, flags: 0, body };
}

export function setUp(target: { name: string } | { index: number }): NetlinkMessage {
  const named = "name" in target ? [textAttribute(IFLA_IFNAME, target.name)] : [];
  const index = "index" in target ? target.index : 0;
  const body = Buffer.concat([header({ index, flags: IFF_UP, change: IFF_UP }), ...named]);
  return {
    what: `bring up the interface ${"name" in target ? target.name : index}`,
    type: RTM_SETLINK,
    flags: 0,
    body,
  };
}

/** The interface gets no IPv6 address by itself, a link-local one neither. Must come before it is up. */
export function withoutIpv6(index: number): NetlinkMessage {
  const mode = u8Attribute(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  const body = Buffer.concat([header({ index }), nested(IFLA_AF_SPEC, nested(AF_INET6, mode))]);
  return { what: `leave interface ${index} without IPv6`, type: RTM_SETLINK, flags: 0, body };
}

export interface PortSettings {
  /** Frames may leave through the port by which they came: a container reaching its own published port. */
  hairpin?: boolean;
  /** Isolated ports of one bridge do not reach each other. */
  isolated?: boolean;
}

export function setBridgePort(name: string, { hairpin, isolated }: PortSettings): NetlinkMessage {
  const settings = [
    ...(hairpin === undefined ? [] : [u8Attribute(IFLA_BRPORT_MODE, hairpin ? 1 : 0)]),
    ...(isolated === undefined ? [] : [u8Attribute(IFLA_BRPORT_ISOLATED, isolated ? 1 : 0)]),
  ];
  const slave = nested(
    IFLA_LINKINFO,
    textAttribute(IFLA_INFO_SLAVE_KIND, "bridge"),
    nested(IFLA_INFO_SLAVE_DATA, ...settings),
  );
  const body = Buffer.concat([header(), textAttribute(IFLA_IFNAME, name), slave]);
  return { what: `set up the bridge port ${name}`, type: RTM_NEWLINK, flags: 0, body };
}

/** Stops forwarding at once and forgets the addresses seen there; a later change of the link's carrier enables the port again. */
export function disableBridgePort(index: number): NetlinkMessage {
  const settings = [u8Attribute(IFLA_BRPORT_STATE, BR_STATE_DISABLED), attribute(IFLA_BRPORT_FLUSH, Buffer.alloc(0))];
  const body = Buffer.concat([header({ index, family: AF_BRIDGE }), nested(IFLA_PROTINFO, ...settings)]);
  return { what: `disable the bridge port ${index}`, type: RTM_SETLINK, flags: 0, body };
}

export function deleteLink(name: string): NetlinkMessage {
  const body = Buffer.concat([header(), textAttribute(IFLA_IFNAME, name)]);
  return { what: `delete the interface ${name}`, type: RTM_DELLINK, flags: 0, body };
}

export function getLink(name: string): NetlinkMessage {
  const body = Buffer.concat([header(), textAttribute(IFLA_IFNAME, name)]);
  return { what: `look up the interface ${name}`, type: RTM_GETLINK, flags: 0, body };
}

export function listLinks(): NetlinkMessage {
  return { what: "list the interfaces", type: RTM_GETLINK, flags: 0, body: header() };
}

export function parseLink(body: Buffer): Link {
  const attributes = decodeAttributes(body.subarray(16));
  const info = decodeAttributes(attributes.get(IFLA_LINKINFO) ?? Buffer.alloc(0));
  return {
    index: body.readInt32LE(4),
    name: textOf(attributes.get(IFLA_IFNAME)),
    kind: textOf(info.get(IFLA_INFO_KIND)),
    alias: textOf(attributes.get(IFLA_IFALIAS)),
    macAddress: macText(attributes.get(IFLA_ADDRESS) ?? Buffer.alloc(0)),
    mtu: attributes.get(IFLA_MTU)?.readUInt32LE(0) ?? 0,
    up: (body.readUInt32LE(8) & IFF_UP) !== 0,
    master: attributes.get(IFLA_MASTER)?.readUInt32LE(0) ?? 0,
    peer: attributes.get(IFLA_LINK)?.readUInt32LE(0) ?? 0,
  };
}
