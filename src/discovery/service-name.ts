import type { Protocol } from "../model/container.ts";

export interface ServicePortName {
  /** A number, or the name of a port. */
  port: string;
  protocol: Protocol;
  /** Of the service, task or container. */
  host: string;
}

/** "_http._tcp.web" or "_80._tcp.web.backend" (RFC 2782). Undefined for other names. */
export function serviceName(name: string): ServicePortName | undefined {
  const match = /^_([^.]+)\._(tcp|udp)\.(.+)$/i.exec(name);
  if (match === null) return undefined;
  const [, port = "", protocol = "", host = ""] = match;
  return { port: port.toLowerCase(), protocol: protocol.toLowerCase() === "udp" ? "udp" : "tcp", host };
}
