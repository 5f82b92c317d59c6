import { isIP } from "node:net";
import { mapOf, type Node, scalar } from "../node.ts";
import { listOf, object } from "./collections.ts";
import { integer, oneOf, text, textLike } from "./scalars.ts";
import { type Decoder, type Plain, type Shape, wrong } from "./shape.ts";

const expected = 'a port such as "8080:80", "127.0.0.1:8000-8010:80-90/udp", a number or a mapping';

const longPort = object(
  "a port",
  {},
  {
    name: text,
    mode: oneOf("ingress", "host"),
    host_ip: textLike("an IP address", /^\[?[0-9a-fA-F.:]*\]?$/),
    target: integer(1, 65_535),
    published: textLike('a port or a range such as "8000-8010"', /^\d{1,5}(-\d{1,5})?$|^$/),
    protocol: oneOf("tcp", "udp", "sctp"),
    app_protocol: text,
  },
);

/** ip:published:target/protocol: another host port for the same target is one more mapping. */
function portKey(node: Node): string | undefined {
  if (node.kind !== "map") return undefined;
  const field = (key: string) => {
    const value = node.entries.get(key)?.value;
    return value?.kind === "scalar" ? value.value : undefined;
  };
  return `${field("host_ip") ?? "0.0.0.0"}:${field("published") ?? ""}:${field("target")}/${field("protocol") ?? "tcp"}`;
}

export const ports: Shape<Plain<typeof longPort>[]> = {
  ...listOf(longPort, { keyOf: portKey, expand: decodePort }),
  expected: "a list of ports",
};

const fieldsOfPort = 5;

interface Range {
  first: number;
  last: number;
}

function decodePort(node: Node, to: Decoder): Node[] | undefined {
  if (node.kind === "map") return decodeLong(node, to);
  const short = node.kind === "scalar" && typeof node.value !== "boolean" ? node.value : null;
  if (short === null || (typeof short === "number" && !Number.isInteger(short))) return wrong(node, to, expected);
  const parsed = parseShort(String(short));
  if (typeof parsed === "string") return wrong(node, to, expected, parsed);
  const { address, host, container, protocol } = parsed;
  const size = container.last - container.first + 1;
  to.budget.spend(size * fieldsOfPort, 0, node.at);
  to.portsLeft -= size;
  if (to.portsLeft < 0) return wrong(node, to, "fewer ports", "too many are published; use network_mode: host");
  const made: Node[] = [];
  for (let index = 0; index < size; index++) {
    const published = !host
      ? undefined
      : size > 1 || host.first === host.last
        ? `${host.first + index}`
        : `${host.first}-${host.last}`;
    made.push(
      mapOf(
        {
          mode: scalar("ingress", node.at),
          host_ip: address === "" ? undefined : scalar(address, node.at),
          target: scalar(container.first + index, node.at),
          published: published === undefined ? undefined : scalar(published, node.at),
          protocol: scalar(protocol, node.at),
        },
        node.at,
      ),
    );
  }
  return made;
}

function decodeLong(node: Node, to: Decoder): Node[] | undefined {
  const decoded = longPort.decode(node, to);
  if (decoded?.kind !== "map") return undefined;
  if (!decoded.entries.has("target")) {
    if (node.kind === "map" && !node.entries.has("target"))
      to.problems.add(node.at, to.path, "a port needs the key target");
    return undefined;
  }
  const entries = new Map(decoded.entries);
  for (const [key, value] of [
    ["mode", "ingress"],
    ["protocol", "tcp"],
  ] as const) {
    if (!entries.has(key)) entries.set(key, { at: node.at, value: scalar(value, node.at) });
  }
  return [{ ...decoded, entries }];
}

/** `[[ADDRESS:][HOST[-HOST]]:]CONTAINER[-CONTAINER][/PROTOCOL]`, or what is wrong with it. */
function parseShort(short: string): { address: string; host?: Range; container: Range; protocol: string } | string {
  const match = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([0-9-]*):)?([0-9-]+)(?:\/([a-zA-Z]+))?$/.exec(short.trim());
  if (!match) return "write [ADDRESS:][HOST:]CONTAINER[/PROTOCOL]";
  const [, bracketed = "", hostText = "", containerText = "", protocolText = "tcp"] = match;
  const address = bracketed.replace(/^\[|\]$/g, "");
  if (address !== "" && isIP(address) === 0) return `${JSON.stringify(address)} is no IP address`;
  const protocol = protocolText.toLowerCase();
  if (!["tcp", "udp", "sctp"].includes(protocol)) return `the protocol is tcp, udp or sctp, not ${protocolText}`;
  const container = parseRange(containerText);
  if (!container) return `${containerText} is no port or range from 1 to 65535`;
  if (hostText === "") return { address, container, protocol };
  const host = parseRange(hostText, 0);
  if (!host) return `${hostText} is no port or range from 0 to 65535`;
  const [hostSize, containerSize] = [host.last - host.first, container.last - container.first];
  if (containerSize > 0 && hostSize !== containerSize) return "the two ranges differ in length";
  return { address, host, container, protocol };
}

export function parseRange(text: string, min = 1): Range | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  return first >= min && last <= 65_535 && first <= last ? { first, last } : undefined;
}

/** expose: a port or range with an optional protocol, as text. */
export const expose = listOf(
  textLike('a port such as 80, "8000-8010" or "53/udp"', /^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/),
);
