import { bitsOf, formatIp, type Ip, ipBytes, ipFromBytes, type Subnet } from "./ip.ts";
import { attribute, decodeAttributes, type NetlinkMessage, NLM_F_CREATE, NLM_F_EXCL, u32Attribute } from "./message.ts";

// linux/rtnetlink.h, linux/if_addr.h
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
/** No duplicate address detection: the address is ours by lease and is usable at once, not after a second. */
const IFA_F_NODAD = 2;

export interface LinkAddress {
  index: number;
  address: Ip;
  prefixLength: number;
}

export const AF_INET = 2;
export const AF_INET6 = 10;
export const familyNumber = (family: 4 | 6): number => (family === 4 ? AF_INET : AF_INET6);

function body({ index, address, prefixLength }: LinkAddress): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(familyNumber(address.family), 0);
  header.writeUInt8(prefixLength, 1);
  header.writeUInt32LE(index, 4);
  const bytes = ipBytes(address);
  const parts = [header, attribute(IFA_LOCAL, bytes), attribute(IFA_ADDRESS, bytes)];
  if (address.family === 6) parts.push(u32Attribute(IFA_FLAGS, IFA_F_NODAD));
  else if (prefixLength < 31) parts.push(attribute(IFA_BROADCAST, ipBytes(broadcastOf(address, prefixLength))));
  return Buffer.concat(parts);
}

function broadcastOf(address: Ip, prefixLength: number): Ip {
  const hostBits = (1n << BigInt(bitsOf(address.family) - prefixLength)) - 1n;
  return { family: address.family, value: address.value | hostBits };
}

export function addAddress(address: LinkAddress): NetlinkMessage {
  const what = `give interface ${address.index} the address ${formatIp(address.address)}/${address.prefixLength}`;
  return { what, type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, body: body(address) };
}

export function listAddresses(): NetlinkMessage {
  return { what: "list the addresses", type: RTM_GETADDR, flags: 0, body: Buffer.alloc(8) };
}

export function parseAddress(message: Buffer): LinkAddress | undefined {
  const attributes = decodeAttributes(message.subarray(8));
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (bytes === undefined) return undefined;
  return { index: message.readUInt32LE(4), address: ipFromBytes(bytes), prefixLength: message.readUInt8(1) };
}

/** The subnet that an address's prefix spans. */
export function subnetOf({ address, prefixLength }: LinkAddress): Subnet {
  const size = 1n << BigInt(bitsOf(address.family) - prefixLength);
  return { family: address.family, prefixLength, value: address.value - (address.value % size) };
}
