import { assert } from "../../base/errors.ts";

/**
 * Netlink messages as values: builders in the files beside this one return them, `NetlinkSocket` sends them. Layouts are the kernel's, in host byte order
 * (linux/netlink.h, linux/rtnetlink.h; RFC 3549); every machine that Berth runs on is little-endian.
 */
export interface NetlinkMessage {
  /** What is being tried, for error messages: "make the bridge berth0". */
  what: string;
  type: number;
  /** Added to NLM_F_REQUEST and NLM_F_ACK. */
  flags: number;
  body: Buffer;
}

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

export const headerSize_bytes = 16;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

/** One attribute: length, type, payload, padded to four bytes. */
export function attribute(type: number, payload: Buffer): Buffer {
  const length = 4 + payload.length;
  assert(length < 0x10000, "a netlink attribute is shorter than 64 KiB");
  const out = Buffer.alloc((length + 3) & ~3);
  out.writeUInt16LE(length, 0);
  out.writeUInt16LE(type, 2);
  payload.copy(out, 4);
  return out;
}

export function nested(type: number, ...attributes: Buffer[]): Buffer {
  return attribute(type | NLA_F_NESTED, Buffer.concat(attributes));
}

export function textAttribute(type: number, text: string): Buffer {
  return attribute(type, Buffer.from(`${text}\0`));
}

export function u8Attribute(type: number, value: number): Buffer {
  return attribute(type, Buffer.from([value]));
}

export function u32Attribute(type: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(value);
  return attribute(type, payload);
}

/** The message with its header, ready to send. */
export function encodeMessage(message: NetlinkMessage, sequence: number): Buffer {
  const header = Buffer.alloc(headerSize_bytes);
  header.writeUInt32LE(headerSize_bytes + message.body.length, 0);
  header.writeUInt16LE(message.type, 4);
  header.writeUInt16LE(message.flags | NLM_F_REQUEST, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, message.body, Buffer.alloc((4 - (message.body.length & 3)) & 3)]);
}

export interface ReceivedMessage {
  type: number;
  flags: number;
  sequence: number;
  body: Buffer;
}

/** The messages in one datagram. They are views: copy what is to outlive the receive buffer. */
export function* decodeMessages(datagram: Buffer): Generator<ReceivedMessage> {
  for (let at = 0; at + headerSize_bytes <= datagram.length; ) {
    const length = datagram.readUInt32LE(at);
    if (length < headerSize_bytes || at + length > datagram.length) return;
    yield {
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      body: datagram.subarray(at + headerSize_bytes, at + length),
    };
    at += (length + 3) & ~3;
  }
}

/** Attributes by type; of a repeated one the last counts. */
export function decodeAttributes(data: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= data.length; ) {
    const length = data.readUInt16LE(at);
    if (length < 4 || at + length > data.length) break;
    found.set(data.readUInt16LE(at + 2) & NLA_TYPE_MASK, data.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return found;
}

export function textOf(payload: Buffer | undefined): string {
  if (payload === undefined) return "";
  const end = payload.indexOf(0);
  return payload.toString("utf8", 0, end < 0 ? payload.length : end);
}
