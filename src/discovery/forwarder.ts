import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import type { Clock } from "../base/clock.ts";
import { BerthError } from "../base/errors.ts";
import { answers, responseCodeOf, responseCodes, withId } from "./dns-message.ts";
import { TcpFrames, tcpFrame } from "./tcp-frames.ts";

export type Transport = "udp" | "tcp";

export interface ForwarderOptions {
  clock: Clock;
  /** In [0, 1): unguessable query ids. */
  random: () => number;
  /** For one nameserver; then the next is asked. */
  timeout_ms?: number;
  /** Queries under way at once, for everybody and for one container; more are refused, so that one container cannot starve the others. */
  outstanding?: { total: number; each: number };
}

/** Nameservers asked for one query; more in a resolv.conf are ignored by every resolver (MAXNS of resolv.h). */
const nameserverLimit = 3;

/** Sends queries on to real nameservers, each from a socket of its own: a random port and a random id make a forged answer hard (RFC 5452). */
export class Forwarder {
  readonly #options: Required<ForwarderOptions>;
  readonly #underWay = new Map<string, number>();
  #total = 0;

  constructor(options: ForwarderOptions) {
    this.#options = { timeout_ms: 2000, outstanding: { total: 1000, each: 200 }, ...options };
  }

  /** The first answer that is not a failure. Throws `unavailable` when nobody answers, `exhausted` when too many queries are under way. */
  async ask(asker: string, query: Buffer, transport: Transport, nameservers: string[]): Promise<Buffer> {
    const own = this.#underWay.get(asker) ?? 0;
    const { total, each } = this.#options.outstanding;
    if (own >= each || this.#total >= total) throw new BerthError("exhausted", "too many DNS queries are under way");
    this.#underWay.set(asker, own + 1);
    this.#total += 1;
    try {
      return await this.#askInTurn(query, transport, nameservers.slice(0, nameserverLimit));
    } finally {
      this.#total -= 1;
      const left = this.#underWay.get(asker)! - 1;
      if (left === 0) this.#underWay.delete(asker);
      else this.#underWay.set(asker, left);
    }
  }

  async #askInTurn(query: Buffer, transport: Transport, nameservers: string[]): Promise<Buffer> {
    let failure: Buffer | undefined;
    for (const nameserver of nameservers) {
      const own = withId(query, Math.floor(this.#options.random() * 0x10000));
      const answer = await (transport === "udp" ? this.#askUdp(own, nameserver) : this.#askTcp(own, nameserver));
      if (answer === undefined) continue;
      const restored = withId(answer, query.readUInt16BE(0));
      if (responseCodeOf(answer) !== responseCodes.serverFailure) return restored;
      failure = restored;
    }
    if (failure !== undefined) return failure;
    throw new BerthError("unavailable", `no nameserver answered (${nameservers.join(", ") || "none is configured"})`);
  }

  /** Undefined when it does not answer. */
  #askUdp(query: Buffer, nameserver: string): Promise<Buffer | undefined> {
    return new Promise(resolve => {
      const socket = createSocket(isIPv6(nameserver) ? "udp6" : "udp4");
      const finish = (answer?: Buffer) => {
        cancel();
        socket.close();
        resolve(answer);
      };
      const cancel = this.#options.clock.after(this.#options.timeout_ms, finish);
      socket.on("error", () => finish());
      socket.on("message", message => {
        if (answers(message, query)) finish(message);
      });
      // Connected: the kernel drops what comes from anybody else, and reports a closed port at once.
      socket.connect(53, nameserver, () => socket.send(query));
    });
  }

  #askTcp(query: Buffer, nameserver: string): Promise<Buffer | undefined> {
    return new Promise(resolve => {
      const socket = connect(53, nameserver);
      const finish = (answer?: Buffer) => {
        cancel();
        socket.destroy();
        resolve(answer);
      };
      const cancel = this.#options.clock.after(this.#options.timeout_ms, finish);
      const frames = new TcpFrames(message => {
        if (answers(message, query)) finish(message);
      });
      socket.on("error", () => finish());
      socket.on("close", () => finish());
      socket.on("data", chunk => frames.push(chunk));
      socket.on("connect", () => socket.write(tcpFrame(query)));
    });
  }
}
