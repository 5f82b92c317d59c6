import { BerthError } from "../../base/errors.ts";
import type { PortSpec, Protocol } from "../../model/container.ts";

/**
 * Docker's -p: [[ADDRESS:][HOSTPORT[-END]]:]PORT[-END][/tcp|udp]. A range of container ports takes as many host ports, one by one; a range of host ports
 * for one container port is a choice. IPv6 addresses stand in brackets.
 */
export function parsePublish(text: string): PortSpec[] {
  const match =
    /^(?:(?<address>\[[0-9a-f:.%]+\]|[^:[\]]*):)??(?:(?<host>\d*(?:-\d+)?):)?(?<container>\d+(?:-\d+)?)(?:\/(?<protocol>\w+))?$/i.exec(
      text,
    );
  if (match?.groups === undefined) throw badPort(text, "it reads [ADDRESS:][HOSTPORT:]PORT[/tcp|udp]");
  const { address, host, container, protocol = "tcp" } = match.groups;
  if (protocol.toLowerCase() !== "tcp" && protocol.toLowerCase() !== "udp")
    throw badPort(text, `protocol "${protocol}" is neither tcp nor udp`);
  const [first, last] = parseRange(container!, text);
  const shared = {
    protocol: protocol.toLowerCase() as Protocol,
    hostAddress: address?.replace(/^\[|\]$/g, "") || undefined,
  };
  if (!host) return ports(first, last).map(containerPort => ({ ...shared, containerPort }));
  const [hostFirst, hostLast] = parseRange(host, text);
  if (first === last)
    return [
      {
        ...shared,
        containerPort: first,
        hostPort: hostFirst,
        hostPortEnd: hostLast === hostFirst ? undefined : hostLast,
      },
    ];
  if (hostLast - hostFirst !== last - first) throw badPort(text, "the two ranges differ in length");
  return ports(first, last).map((containerPort, index) => ({ ...shared, containerPort, hostPort: hostFirst + index }));
}

/** --expose: PORT[-END][/PROTOCOL] as a list of "80/tcp". */
export function parseExpose(text: string): string[] {
  const [range = "", protocol = "tcp"] = text.split("/");
  if (!/^\d+(-\d+)?$/.test(range)) throw badPort(text, "it reads PORT[-END][/tcp|udp]");
  const [first, last] = parseRange(range, text);
  return ports(first, last).map(port => `${port}/${protocol}`);
}

function parseRange(range: string, whole: string): [number, number] {
  const [first, last = first] = range.split("-").map(Number) as [number, number?];
  if (first < 0 || last > 65_535 || last < first)
    throw badPort(whole, `"${range}" is no port or range of ports from 1 to 65535`);
  return [first, last];
}

function ports(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function badPort(text: string, why: string): BerthError {
  return new BerthError("invalid", `port "${text}": ${why}`, {
    hint: "for example 8080:80, 127.0.0.1:53:53/udp or 8000-8010:8000-8010",
  });
}
