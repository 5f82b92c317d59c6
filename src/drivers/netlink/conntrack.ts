import { familyNumber } from "./addresses.ts";
import { type Ip, ipFromBytes } from "./ip.ts";
import { attribute, decodeAttributes, type NetlinkMessage, nested, u8Attribute, u32Attribute } from "./message.ts";
import { NetlinkError, NetlinkSocket, netlinkProtocols } from "./netlink-socket.ts";

// linux/netfilter/nfnetlink.h, linux/netfilter/nfnetlink_conntrack.h
const NFNL_SUBSYS_CTNETLINK = 1 << 8;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_FILTER = 25;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_REPLY_FLAGS = 2;
const filterByProtocol = 1 << 3;
const filterByDestinationPort = 1 << 5;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;
const IPPROTO_UDP = 17;
const empty = Buffer.alloc(0);

/** A UDP conversation that the kernel remembers, and where it leads it. */
export interface UdpFlow {
  /** As the first packet was sent. */
  destination: Ip;
  port: number;
  /** Who answers: elsewhere than `destination` when it was translated. */
  answeredBy: Ip;
  /** The kernel's own name for it. */
  tuple: Buffer;
}

/**
 * Forgets conversations, so that their next packet is led by the rules of today. The kernel keeps a UDP conversation going to where it began for minutes,
 * as long as the client goes on sending; TCP ends by itself.
 */
export function forgetUdpFlows(family: 4 | 6, port: number, match: (flow: UdpFlow) => boolean): void {
  using socket = new NetlinkSocket(netlinkProtocols.netfilter);
  const flows = listFlows(socket, family, port).filter(flow => flow.port === port && match(flow));
  // One that has just ended by itself is as good.
  socket.run(
    flows.map(flow => deleteFlow(family, flow)),
    (_, errno) => errno === "ENOENT",
  );
}

function listFlows(socket: NetlinkSocket, family: 4 | 6, port: number): UdpFlow[] {
  try {
    return socket.dump(listMessage(family, [portFilter(port)]), parseFlow);
  } catch (thrown) {
    // Before Linux 5.8 the kernel cannot choose: take all.
    if (!(thrown instanceof NetlinkError)) throw thrown;
    return socket.dump(listMessage(family, []), parseFlow);
  }
}

/** nfgenmsg: family, version 0, resource 0. */
const header = (family: 4 | 6): Buffer => Buffer.from([familyNumber(family), 0, 0, 0]);

function listMessage(family: 4 | 6, filter: Buffer[]): NetlinkMessage {
  const type = NFNL_SUBSYS_CTNETLINK | IPCTNL_MSG_CT_GET;
  return { what: "list UDP conversations", type, flags: 0, body: Buffer.concat([header(family), ...filter]) };
}

function portFilter(port: number): Buffer {
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  const protocol = nested(
    CTA_TUPLE_PROTO,
    u8Attribute(CTA_PROTO_NUM, IPPROTO_UDP),
    attribute(CTA_PROTO_DST_PORT, portBytes),
  );
  return Buffer.concat([
    nested(CTA_TUPLE_ORIG, protocol),
    nested(
      CTA_FILTER,
      u32Attribute(CTA_FILTER_ORIG_FLAGS, filterByProtocol | filterByDestinationPort),
      u32Attribute(CTA_FILTER_REPLY_FLAGS, 0),
    ),
  ]);
}

function parseFlow(body: Buffer): UdpFlow | undefined {
  const attributes = decodeAttributes(body.subarray(4));
  const original = decodeAttributes(attributes.get(CTA_TUPLE_ORIG) ?? empty);
  const reply = decodeAttributes(attributes.get(CTA_TUPLE_REPLY) ?? empty);
  const protocol = decodeAttributes(original.get(CTA_TUPLE_PROTO) ?? empty);
  const to = decodeAttributes(original.get(CTA_TUPLE_IP) ?? empty);
  const from = decodeAttributes(reply.get(CTA_TUPLE_IP) ?? empty);
  const destination = to.get(CTA_IP_V4_DST) ?? to.get(CTA_IP_V6_DST);
  const answeredBy = from.get(CTA_IP_V4_SRC) ?? from.get(CTA_IP_V6_SRC);
  const port = protocol.get(CTA_PROTO_DST_PORT);
  if (protocol.get(CTA_PROTO_NUM)?.readUInt8(0) !== IPPROTO_UDP || !destination || !answeredBy || !port)
    return undefined;
  return {
    destination: ipFromBytes(destination),
    answeredBy: ipFromBytes(answeredBy),
    port: port.readUInt16BE(0),
    tuple: Buffer.from(attributes.get(CTA_TUPLE_ORIG)!),
  };
}

function deleteFlow(family: 4 | 6, flow: UdpFlow): NetlinkMessage {
  const type = NFNL_SUBSYS_CTNETLINK | IPCTNL_MSG_CT_DELETE;
  const body = Buffer.concat([header(family), nested(CTA_TUPLE_ORIG, flow.tuple)]);
  return { what: `forget UDP conversations with port ${flow.port}`, type, flags: 0, body };
}
