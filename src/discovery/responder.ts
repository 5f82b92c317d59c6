import type { Packet } from "dns-packet";
import { decodeQuery, encodeAnswer, responseCodes, udpLimit_bytes } from "./dns-message.ts";
import type { Forwarder, Transport } from "./forwarder.ts";
import type { NameTable } from "./name-table.ts";
import { resolve } from "./resolve.ts";

const tcpLimit_bytes = 65_535;

export interface ResponderOptions {
  table: NameTable;
  forwarder: Forwarder;
  /** The host's own, read now. */
  hostNameservers: () => string[];
  random: () => number;
}

/** One query in, one answer out, for one container; undefined for what deserves no answer. */
export class Responder {
  readonly #options: ResponderOptions;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  async respond(asker: string, bytes: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const query = decodeQuery(bytes);
    if (query === undefined) return undefined;
    const limit_bytes = transport === "udp" ? udpLimit_bytes(query) : tcpLimit_bytes;
    const question = query.questions?.[0];
    if (opcodeOf(query) !== 0) return encodeAnswer(query, responseCodes.notImplemented, [], limit_bytes);
    if (question === undefined || query.questions?.length !== 1) {
      return encodeAnswer(query, responseCodes.formatError, [], limit_bytes);
    }
    const { table, random } = this.#options;
    const resolution = resolve(table, asker, question, random);
    if (resolution.kind === "answer")
      return encodeAnswer(query, responseCodes.noError, resolution.answers, limit_bytes);
    if (resolution.kind === "no-name") return encodeAnswer(query, responseCodes.noName, [], limit_bytes);
    return this.#forward(asker, query, bytes, transport);
  }

  async #forward(asker: string, query: Packet, bytes: Buffer, transport: Transport): Promise<Buffer> {
    const { table, forwarder, hostNameservers } = this.#options;
    const own = table.of(asker).find(record => record.nameservers?.length)?.nameservers;
    try {
      return await forwarder.ask(asker, bytes, transport, own ?? hostNameservers());
    } catch {
      // The client hears that it did not work, and tries again or not: there is nobody else to tell.
      return encodeAnswer(query, responseCodes.serverFailure, [], tcpLimit_bytes);
    }
  }
}

const opcodeOf = (query: Packet): number => ((query.flags ?? 0) >> 11) & 0xf;
