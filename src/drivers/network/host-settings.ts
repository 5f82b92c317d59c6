import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { errnoOf } from "../linux/state-files.ts";

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
  // A host that forwards ignores router advertisements unless told otherwise (2), and would lose its own default route.
  for (const name of readdirSync(`${net}/ipv6/conf`)) {
    if (name !== "all" && name !== "default" && setting(`ipv6/conf/${name}/accept_ra`) === "1") {
      set(`ipv6/conf/${name}/accept_ra`, "2");
    }
  }
  set("ipv6/conf/all/forwarding", "1");
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
