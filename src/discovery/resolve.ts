import type { Answer, Question } from "dns-packet";
import type { FoundPort, NameTable } from "./name-table.ts";
import { addressOfPointer } from "./pointer-name.ts";
import { serviceName } from "./service-name.ts";

export type Resolution =
  | { kind: "answer"; answers: Answer[] }
  /** No such name, as far as this container can know. */
  | { kind: "no-name" }
  /** Not one of ours: ask others. */
  | { kind: "forward" };

/** Seconds that a client may keep an address: short, since containers come and go, and asking again costs little. */
export const timeToLive_s = 5;

/**
 * Answers one question as the container `asker` sees the world; pure. A name that exists without an address of the wanted kind gives an empty answer, not
 * "no such name" (RFC 2308 section 2.2), or clients that ask for IPv6 first would give up. `random` in [0, 1) puts several addresses in any order.
 */
export function resolve(table: NameTable, asker: string, question: Question, random: () => number): Resolution {
  const name = question.name.replace(/\.$/, "");
  const elsewhere: Resolution = mayAskOthers(table, asker) ? { kind: "forward" } : { kind: "no-name" };
  if (question.type === "PTR") {
    const address = addressOfPointer(name);
    const found = address === undefined ? undefined : table.reverse(asker, address);
    if (found === undefined) return elsewhere;
    return { kind: "answer", answers: [{ type: "PTR", name: question.name, ttl: timeToLive_s, data: found }] };
  }
  const type: string = question.type;
  const wants = (kind: string) => type === kind || type === "ANY";
  const service = serviceName(name);
  if (service !== undefined && wants("SRV")) {
    const ports = table.findPort(asker, service.host, service.port, service.protocol);
    if (ports === undefined) return elsewhere;
    if (ports.length === 0) return { kind: "no-name" };
    return { kind: "answer", answers: shuffled(ports.map(portAnswer(question.name)), random) };
  }
  const found = table.find(asker, name);
  if (found === undefined) return elsewhere;
  const ipv4 = wants("A")
    ? found.ipv4.map((data): Answer => ({ type: "A", name: question.name, ttl: timeToLive_s, data }))
    : [];
  const ipv6 = wants("AAAA")
    ? found.ipv6.map((data): Answer => ({ type: "AAAA", name: question.name, ttl: timeToLive_s, data }))
    : [];
  return { kind: "answer", answers: shuffled([...ipv4, ...ipv6], random) };
}

/** All alike: which one is asked is up to the client, whose order is chance's (RFC 2782). */
function portAnswer(name: string): (found: FoundPort) => Answer {
  return data => ({ type: "SRV", name, ttl: timeToLive_s, data: { ...data, priority: 0, weight: 0 } });
}

/** A container that is in internal networks only has no way out, and names would be one. */
function mayAskOthers(table: NameTable, asker: string): boolean {
  return table.of(asker).some(record => !record.internal);
}

/** Fisher and Yates. */
function shuffled<T>(items: T[], random: () => number): T[] {
  const out = [...items];
  for (let last = out.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [out[last], out[other]] = [out[other]!, out[last]!];
  }
  return out;
}
