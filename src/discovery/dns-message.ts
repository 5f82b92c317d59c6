import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from "dns-packet";

/** RFC 1035 section 4.1.1. dns-packet keeps the response code in the low bits of the flags. */
export const responseCodes = { noError: 0, formatError: 1, serverFailure: 2, noName: 3, notImplemented: 4 } as const;
export type ResponseCode = (typeof responseCodes)[keyof typeof responseCodes];

const headerSize_bytes = 12;
/** RFC 1035 section 2.3.4: without EDNS a UDP answer has at most so many. */
const plainLimit_bytes = 512;
/** More would be fragmented on many paths (DNS flag day 2020); local paths carry more, clients ask again over TCP. */
const ednsLimit_bytes = 1232;

/** Undefined for what is not a query that can be read. */
export function decodeQuery(bytes: Buffer): Packet | undefined {
  if (bytes.length < headerSize_bytes) return undefined;
  try {
    const packet = decode(bytes);
    return packet.type === "query" ? packet : undefined;
  } catch {
    return undefined; // anybody can send anything; there is nobody to tell
  }
}

/** Size of the largest answer that the client takes in one datagram (RFC 6891 section 6.2.3). */
export function udpLimit_bytes(query: Packet): number {
  const size = query.additionals?.find(each => each.type === "OPT")?.udpPayloadSize ?? 0;
  return Math.min(ednsLimit_bytes, Math.max(plainLimit_bytes, size));
}

/** The answer to a query; one larger than `limit_bytes` is cut to none and marked, so that the client comes back over TCP. */
export function encodeAnswer(query: Packet, code: ResponseCode, answers: Answer[], limit_bytes: number): Buffer {
  const edns = query.additionals?.some(each => each.type === "OPT");
  const message = (flags: number, records: Answer[]) =>
    encode({
      type: "response",
      id: query.id,
      flags: flags | code | RECURSION_AVAILABLE | ((query.flags ?? 0) & RECURSION_DESIRED),
      questions: query.questions,
      answers: records,
      additionals: edns
        ? [
            {
              type: "OPT",
              name: ".",
              udpPayloadSize: ednsLimit_bytes,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ]
        : [],
    });
  const whole = message(AUTHORITATIVE_ANSWER, answers);
  return whole.length <= limit_bytes ? whole : message(AUTHORITATIVE_ANSWER | TRUNCATED_RESPONSE, []);
}

export function responseCodeOf(bytes: Buffer): number {
  return bytes.readUInt8(3) & 0x0f;
}

/** Whether an answer belongs to a query: same id, is a response, same question (names compare without case, RFC 4343). */
export function answers(response: Buffer, query: Buffer): boolean {
  if (response.length < headerSize_bytes || response.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if ((response.readUInt8(2) & 0x80) === 0) return false;
  if (response.readUInt16BE(4) === 0) return true; // an error may leave the question out
  const end = questionEnd(query);
  const question = (bytes: Buffer) => bytes.toString("latin1", headerSize_bytes, end).toLowerCase();
  return question(response) === question(query);
}

/** Behind the name, type and class of the first question; queries do not compress names. */
function questionEnd(query: Buffer): number {
  let at = headerSize_bytes;
  while (at < query.length && query[at] !== 0) at += query[at]! + 1;
  return at + 5;
}

export function withId(bytes: Buffer, id: number): Buffer {
  const out = Buffer.from(bytes);
  out.writeUInt16BE(id, 0);
  return out;
}
