import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { decode, encode, type Question } from "dns-packet";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { responseCodeOf, responseCodes } from "./dns-message.ts";
import { Forwarder } from "./forwarder.ts";
import { NameTable } from "./name-table.ts";
import { Responder } from "./responder.ts";

const opened: Socket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});

const codeOf = (answer: Buffer | undefined) => (answer === undefined ? undefined : responseCodeOf(answer));

const query = (name: string, more: object = {}, type: Question["type"] = "A") =>
  encode({ type: "query", id: 7, flags: 0x100, questions: [{ name, type }], ...more });

function responder(containers: number, nameservers: string[] = []) {
  const table = new NameTable();
  for (let at = 0; at < containers; at++) {
    const endpoint = {
      networkId: "n",
      networkName: "net",
      dnsNames: ["all"],
      ipv4: `10.0.${at >> 8}.${at & 255}`,
      ipv6: undefined,
    };
    table.set(`c${at}`, [{ containerId: `c${at}`, netnsPath: "", internal: false, endpoint }]);
  }
  const forwarder = new Forwarder({ clock: systemClock, random: Math.random, timeout_ms: 100 });
  return new Responder({ table, forwarder, hostNameservers: () => nameservers, random: () => 0 });
}

/** A nameserver on an address of its own; `reply` gets the query. */
async function nameserver(number: number, reply: (query: Buffer) => Buffer | undefined): Promise<string> {
  const address = `127.${process.pid % 250}.${(process.pid >> 8) % 250}.${number}`;
  const socket = createSocket("udp4");
  opened.push(socket);
  socket.on("message", (message, from) => {
    const answer = reply(message);
    if (answer !== undefined) socket.send(answer, from.port, from.address);
  });
  const listening = once(socket, "listening");
  socket.bind(53, address);
  await listening;
  return address;
}

const replyWith =
  (address: string, code = 0) =>
  (message: Buffer) => {
    const { id, questions } = decode(message);
    const answers = [{ type: "A" as const, name: questions![0]!.name, ttl: 1, data: address }];
    return encode({ type: "response", id, flags: code, questions, answers: code === 0 ? answers : [] });
  };

test("an answer carries the query's id and question, and says that it is final", async () => {
  const answer = decode((await responder(1).respond("c0", query("all"), "udp"))!);
  expect(answer).toMatchObject({
    id: 7,
    type: "response",
    flag_aa: true,
    flag_ra: true,
    rcode: "NOERROR",
    questions: [{ name: "all" }],
  });
  expect(answer.answers).toMatchObject([{ data: "10.0.0.0", ttl: 5 }]);
});

test("an answer that is too large for UDP is cut and marked, larger ones fit with EDNS, all over TCP", async () => {
  const many = responder(60);
  const edns = {
    additionals: [
      { type: "OPT", name: ".", udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0, options: [] },
    ],
  };
  expect(decode((await many.respond("c0", query("all"), "udp"))!)).toMatchObject({ flag_tc: true, answers: [] });
  expect(decode((await many.respond("c0", query("all", edns), "udp"))!).answers).toHaveLength(60);
  expect(decode((await many.respond("c0", query("all"), "tcp"))!).answers).toHaveLength(60);
});

test("what is no query gets no answer; what is not understood gets an error", async () => {
  const one = responder(1);
  expect(await one.respond("c0", Buffer.from("rubbish"), "udp")).toBeUndefined();
  expect(await one.respond("c0", encode({ type: "response", id: 1 }), "udp")).toBeUndefined();
  const noQuestion = await one.respond("c0", encode({ type: "query", id: 1, questions: [] }), "udp");
  expect(codeOf(noQuestion)).toBe(responseCodes.formatError);
  expect(codeOf(await one.respond("c0", query("all", { flags: 4 << 11 }), "udp"))).toBe(responseCodes.notImplemented);
});

test("a nameserver that is silent, forges, or fails is passed over; when none answers the client hears of a failure", async () => {
  const silent = await nameserver(1, () => undefined);
  const forger = await nameserver(2, message => {
    const answer = replyWith("6.6.6.6")(message);
    answer.writeUInt16BE((message.readUInt16BE(0) + 1) & 0xffff, 0);
    return answer;
  });
  const failing = await nameserver(3, replyWith("", 2));
  const good = await nameserver(4, replyWith("203.0.113.1"));
  const ask = (...servers: string[]) => responder(1, servers).respond("c0", query("example.org"), "udp");
  expect(decode((await ask(silent, forger, good))!)).toMatchObject({ id: 7, answers: [{ data: "203.0.113.1" }] });
  expect(decode((await ask(failing, good))!).answers).toHaveLength(1);
  expect(codeOf(await ask(silent))).toBe(responseCodes.serverFailure);
  expect(codeOf(await ask(failing, silent))).toBe(responseCodes.serverFailure);
});

test("more queries than the limit are refused at once, and the next ones work again", async () => {
  const silent = await nameserver(5, () => undefined);
  const forwarder = new Forwarder({
    clock: systemClock,
    random: Math.random,
    timeout_ms: 50,
    outstanding: { total: 3, each: 2 },
  });
  const ask = (asker: string) =>
    forwarder.ask(asker, query("example.org"), "udp", [silent]).catch(thrown => thrown.code);
  expect(await Promise.all(["a", "a", "a", "b", "b"].map(ask))).toEqual([
    "unavailable",
    "unavailable",
    "exhausted",
    "unavailable",
    "exhausted",
  ]);
  expect(await ask("a")).toBe("unavailable");
});
