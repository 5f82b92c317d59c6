import { BerthError } from "../../base/errors.ts";
import type { Network, NetworkSpec } from "../../model/network.ts";
import { parseIp } from "../netlink/ip.ts";

/** Docker's driver options that mean something to a bridge network; unknown ones are kept and ignored, as Docker does. */
export interface BridgeOptions {
  bridgeName?: string;
  /** Containers of the network reach each other. */
  communication: boolean;
  masquerade: boolean;
  /** Where ports are published that name no host address. */
  hostAddress?: string;
  mtu?: number;
}

const prefix = "com.docker.network.";

/** Throws `invalid` for a value that does not fit. */
export function bridgeOptions({ options }: Pick<NetworkSpec, "options">): BridgeOptions {
  const hostAddress = options[`${prefix}bridge.host_binding_ipv4`] || undefined;
  if (hostAddress !== undefined) parseIp(hostAddress);
  return {
    bridgeName: interfaceName(options[`${prefix}bridge.name`]),
    communication: flag(options, "bridge.enable_icc"),
    masquerade: flag(options, "bridge.enable_ip_masquerade"),
    hostAddress,
    mtu: mtu(options[`${prefix}driver.mtu`]),
  };
}

function flag(options: Record<string, string>, name: string): boolean {
  const text = (options[prefix + name] ?? "true").toLowerCase();
  if (["true", "1", "t"].includes(text)) return true;
  if (["false", "0", "f"].includes(text)) return false;
  throw new BerthError("invalid", `the network option ${prefix}${name} is "${text}"`, { hint: "use true or false" });
}

function mtu(text: string | undefined): number | undefined {
  if (text === undefined || text === "" || text === "0") return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 68 && value <= 65535) return value;
  throw new BerthError("invalid", `the network option ${prefix}driver.mtu is "${text}"`, {
    hint: "use a number of bytes from 68 to 65535",
  });
}

/** Linux: at most 15 bytes, no slash, no space, not "." or "..". */
export function interfaceName(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^[A-Za-z0-9_.-]{1,15}$/.test(text) && text !== "." && text !== "..") return text;
  throw new BerthError("invalid", `"${text}" cannot be the name of an interface`, {
    hint: "use at most 15 letters, digits, '-', '_' and '.'",
  });
}

/** host and none have nothing in the kernel. */
export const isBridge = (network: Network): boolean => network.driver === "bridge";
/** Names are resolved in networks that somebody made, not in the default bridge: as with Docker. */
export const hasNames = (network: Network): boolean => isBridge(network) && !network.builtin;
