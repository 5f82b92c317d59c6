import { readFileSync, writeFileSync } from "node:fs";
import { errnoOf } from "../linux/state-files.ts";
import { listLinks, parseLink } from "../netlink/links.ts";
import { NetlinkSocket } from "../netlink/netlink-socket.ts";
import { listRoutes, parseRoute } from "../netlink/routes.ts";

/** /proc/sys/net is that of the network namespace that the thread is in. Everything here is synchronous for that reason. */
const net = "/proc/sys/net";

function setting(path: string): string | undefined {
  try {
    return readFileSync(`${net}/${path}`, "utf8").trim();
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Where the kernel has no such setting (no IPv6), nothing is to be set. */
function set(path: string, value: string): void {
  try {
    writeFileSync(`${net}/${path}`, value, { flag: "r+" });
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT") throw thrown;
  }
}

export function enableForwarding(family: 4 | 6): void {
  // Writing resets per-interface settings even where nothing changes: so look first.
  if (family === 4 && setting("ipv4/ip_forward") !== "1") set("ipv4/ip_forward", "1");
  if (family === 6) enableIpv6Forwarding();
}

function enableIpv6Forwarding(): void {
  if (setting("ipv6/conf/all/forwarding") === "1") return;
  // A host that forwards ignores router advertisements unless told otherwise (2), and would lose the default route that it has from one.
  for (const name of routedByAdvertisement()) {
    if (setting(`ipv6/conf/${name}/accept_ra`) === "1") set(`ipv6/conf/${name}/accept_ra`, "2");
  }
  set("ipv6/conf/all/forwarding", "1");
}

function routedByAdvertisement(): Set<string> {
  using socket = new NetlinkSocket();
  const names = new Map(socket.dump(listLinks(), parseLink).map(link => [link.index, link.name]));
  const routes = socket.dump(listRoutes(6), parseRoute).filter(route => route.advertised);
  return new Set(routes.map(route => names.get(route.interface)).filter(name => name !== undefined));
}

/** In our networks gateways are known: an advertisement there can only be a container's, that wants to be one (CVE-2020-13401). */
export function ignoreRouterAdvertisements(interfaceName: string): void {
  set(`ipv6/conf/${interfaceName}/accept_ra`, "0");
}

/** Lets 127.0.0.1:port lead out to a container; the rules keep containers from using it the other way. */
export function allowLocalhostRouting(interfaceName: string): void {
  set(`ipv4/conf/${interfaceName}/route_localnet`, "1");
}

export function setIpv6(interfaceName: string, enabled: boolean): void {
  set(`ipv6/conf/${interfaceName}/disable_ipv6`, enabled ? "0" : "1");
}

/** The interface tells its neighbours when it comes up: for an address that had another MAC address before. */
export function announceAddress(interfaceName: string): void {
  set(`ipv4/conf/${interfaceName}/arp_notify`, "1");
}

export function hasIpv6(): boolean {
  return setting("ipv6/conf/all/disable_ipv6") === "0";
}
