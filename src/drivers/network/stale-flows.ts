import { listAddresses, parseAddress } from "../netlink/addresses.ts";
import { forgetUdpFlows } from "../netlink/conntrack.ts";
import { formatIp, parseIp } from "../netlink/ip.ts";
import { NetlinkSocket } from "../netlink/netlink-socket.ts";
import type { PortRule } from "./rules.ts";

/**
 * After UDP ports changed hands: conversations with this host on those ports that lead anywhere but where they lead now are forgotten. Conversations with
 * others, that only happen to use the same port number, go on.
 */
export function forgetStaleFlows(before: PortRule[], after: PortRule[]): void {
  const changed = [...before, ...after].filter(rule => rule.protocol === "udp");
  if (changed.length === 0) return;
  using socket = new NetlinkSocket();
  const own = new Set(socket.dump(listAddresses(), parseAddress).map(({ address }) => formatIp(address)));
  const ports = new Map(changed.map(rule => [`${parseIp(rule.address).family} ${rule.hostPort}`, rule]));
  for (const { address, hostPort } of ports.values()) {
    const { family } = parseIp(address);
    const current = new Set(after.filter(rule => rule.hostPort === hostPort).map(rule => rule.address));
    forgetUdpFlows(
      family,
      hostPort,
      flow => own.has(formatIp(flow.destination)) && !current.has(formatIp(flow.answeredBy)),
    );
  }
}
