import { BerthError } from "../../base/errors.ts";
import type { PortSpec, Protocol } from "../../model/container.ts";
import type { Fields } from "../http/fields.ts";

/** "80/tcp", "80" or "53/udp"; a range "8000-8010/tcp" is only exposed, never bound. Throws `invalid`. */
export function portFrom(text: string, field: string): { port: number; protocol: Protocol } {
  const match = /^(\d{1,5})(?:-\d{1,5})?(?:\/(tcp|udp))?$/i.exec(text);
  if (match === null) {
    throw new BerthError("invalid", `${field}: ${JSON.stringify(text)} is no port`, { hint: "write 80/tcp or 53/udp" });
  }
  return { port: Number(match[1]), protocol: match[2]?.toLowerCase() === "udp" ? "udp" : "tcp" };
}

/** PortBindings: {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}; no binding, or one without a port, is a free port. */
export function toPorts(bindings: Fields | undefined): PortSpec[] {
  return (bindings?.names() ?? []).flatMap(name => {
    const { port: containerPort, protocol } = portFrom(name, "HostConfig.PortBindings");
    const hosts = bindings!.objects(name);
    if (hosts.length === 0) return [{ containerPort, protocol }];
    return hosts.map(host => ({
      containerPort,
      protocol,
      hostAddress: host.text("HostIp") || undefined,
      ...hostPort(host.text("HostPort") ?? ""),
    }));
  });
}

function hostPort(text: string): Pick<PortSpec, "hostPort" | "hostPortEnd"> {
  if (text === "" || text === "0") return {};
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null)
    throw new BerthError("invalid", `HostConfig.PortBindings: ${JSON.stringify(text)} is no host port`);
  return { hostPort: Number(match[1]), hostPortEnd: match[2] === undefined ? undefined : Number(match[2]) };
}
