import { closeSync, openSync } from "node:fs";
import type { Endpoint } from "../../model/container.ts";
import { inNetworkNamespace } from "../linux/namespace.ts";
import { addAddress } from "../netlink/addresses.ts";
import { parseIp } from "../netlink/ip.ts";
import {
  addVeth,
  deleteLink,
  disableBridgePort,
  getLink,
  parseLink,
  setAlias,
  setBridgePort,
  setUp,
  withoutIpv6,
} from "../netlink/links.ts";
import type { NetlinkMessage } from "../netlink/message.ts";
import { NetlinkSocket } from "../netlink/netlink-socket.ts";
import { deleteDefaultRoute, setDefaultRoute } from "../netlink/routes.ts";
import type { EndpointRecord } from "./endpoint-files.ts";
import { announceAddress, hasIpv6, ignoreRouterAdvertisements } from "./host-settings.ts";

export interface PlugSettings {
  /** Index of the bridge. */
  master: number;
  mtu?: number;
  alias: string;
  /** Does not reach the other containers of its network. */
  isolated: boolean;
  /** The MAC address is not the one that goes with the address. */
  announce: boolean;
}

/** Makes the interface pair, one end in the bridge, the other in the container's namespace with its addresses. About 2 ms, all in this process. */
export function plug(record: EndpointRecord, settings: PlugSettings): void {
  const { endpoint, hostInterface, netnsPath } = record;
  using host = new NetlinkSocket();
  const namespaceFd = openSync(netnsPath, "r");
  try {
    host.run([
      addVeth({
        name: hostInterface,
        master: settings.master,
        mtu: settings.mtu,
        peer: { name: endpoint.interfaceName, macAddress: endpoint.macAddress, namespaceFd },
      }),
      setAlias(hostInterface, settings.alias),
      ...(settings.isolated ? [setBridgePort(hostInterface, { isolated: true })] : []),
    ]);
  } finally {
    closeSync(namespaceFd);
  }
  using inside = inNetworkNamespace(netnsPath, () => {
    ignoreRouterAdvertisements(endpoint.interfaceName);
    if (settings.announce) announceAddress(endpoint.interfaceName);
    return new NetlinkSocket();
  });
  const { index } = inside.get(getLink(endpoint.interfaceName), parseLink)!;
  // Switching IPv6 off in /proc would spin on the kernel's network lock; this is part of the message that is sent anyway.
  const ipv6 = addressesOf(endpoint).some(({ address }) => address.family === 6);
  inside.run([
    ...(ipv6 || !hasIpv6() ? [] : [withoutIpv6(index)]),
    ...addressesOf(endpoint).map(address => addAddress({ index, ...address })),
    setUp({ index }),
  ]);
}

function addressesOf(endpoint: Endpoint) {
  const { ipv4, prefixLength, ipv6, ipv6PrefixLength } = endpoint;
  return [
    ...(ipv4 === undefined ? [] : [{ address: parseIp(ipv4), prefixLength: prefixLength! }]),
    ...(ipv6 === undefined ? [] : [{ address: parseIp(ipv6), prefixLength: ipv6PrefixLength! }]),
    ...(endpoint.requested.linkLocalAddresses ?? []).map(text => {
      const address = parseIp(text);
      return { address, prefixLength: address.family === 4 ? 16 : 64 };
    }),
  ];
}

export function isPluggedIn(hostInterface: string): boolean {
  using socket = new NetlinkSocket();
  return socket.get(getLink(hostInterface), parseLink) !== undefined;
}

/** Deletes the pair now; takes some 20 ms, since the kernel waits for every processor to let go of it. */
export function unplug(hostInterface: string): void {
  using socket = new NetlinkSocket();
  socket.run([deleteLink(hostInterface)], (_, errno) => errno === "ENODEV");
}

/** Cuts the container off at once; the pair itself goes with the namespace, without anybody waiting for it. */
export function cutOff(hostInterfaces: string[]): void {
  if (hostInterfaces.length === 0) return;
  using socket = new NetlinkSocket();
  const links = hostInterfaces.flatMap(name => socket.get(getLink(name), parseLink) ?? []);
  socket.run(
    links.map(link => disableBridgePort(link.index)),
    (_, errno) => errno === "ENODEV",
  );
}

export function allowHairpin(hostInterface: string, allowed: boolean): void {
  using socket = new NetlinkSocket();
  socket.run([setBridgePort(hostInterface, { hairpin: allowed })], (_, errno) => errno === "ENODEV");
}

/** The endpoint through which a container reaches the rest of the world, for one family: highest priority, then by network name, as Docker has it. */
export function gatewayEndpoint(records: EndpointRecord[], family: 4 | 6): Endpoint | undefined {
  const gateway = ({ endpoint }: EndpointRecord) => (family === 4 ? endpoint.gateway : endpoint.ipv6Gateway);
  const priority = ({ endpoint }: EndpointRecord) => endpoint.requested.gatewayPriority ?? 0;
  return records
    .filter(record => gateway(record))
    .sort(
      (one, other) =>
        priority(other) - priority(one) || (one.endpoint.networkName < other.endpoint.networkName ? -1 : 1),
    )[0]?.endpoint;
}

/** Sets the default routes that follow from all endpoints of a container, after one came or went. */
export function setRoutes(netnsPath: string, records: EndpointRecord[]): void {
  using socket = inNetworkNamespace(netnsPath, () => new NetlinkSocket());
  const messages = ([4, 6] as const).map((family): NetlinkMessage => {
    const endpoint = gatewayEndpoint(records, family);
    if (endpoint === undefined) return deleteDefaultRoute(family);
    const { index } = socket.get(getLink(endpoint.interfaceName), parseLink)!;
    return setDefaultRoute(parseIp((family === 4 ? endpoint.gateway : endpoint.ipv6Gateway)!), index);
  });
  socket.run(messages, (message, errno) => errno === "ESRCH" && message.what.startsWith("delete"));
}
