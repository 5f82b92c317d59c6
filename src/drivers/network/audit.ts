import { shortId } from "../../base/ids.ts";
import type { Network } from "../../model/network.ts";
import { unclaim } from "../linux/state-files.ts";
import { type Link, listLinks, parseLink } from "../netlink/links.ts";
import { NetlinkSocket } from "../netlink/netlink-socket.ts";
import type { Bridges } from "./bridges.ts";
import { rulesOf } from "./bridges.ts";
import type { Endpoints } from "./endpoints.ts";
import { isNamespace, type Namespaces } from "./namespaces.ts";
import { isBridge } from "./network-options.ts";
import type { KernelNames } from "./paths.ts";
import { isPluggedIn, unplug } from "./plug.ts";
import type { PortFiles } from "./port-files.ts";
import { addNetwork, addPorts, balancePorts, elementsIn } from "./rules.ts";

/** Something that should not be, and how to end it. */
export interface Leak {
  /** No leak, but not needed either (a bridge that waits for the next container): repaired, not reported. */
  idle?: boolean;
  sentence: string;
  /** Absent: writing all rules again ends it. */
  repair?: () => void;
  /** May be right in a moment: another process is just connecting, or the kernel is still taking apart a namespace that has ended. */
  passing?: boolean;
}

export interface AuditInput {
  containers: Set<string>;
  networks: Network[];
  names: KernelNames;
  bridges: Bridges;
  namespaces: Namespaces;
  endpoints: Endpoints;
  ports: PortFiles;
  /** Everything in our table as nft lists it, or undefined where there is none. */
  ruleset: string | undefined;
}

/** Compares records, kernel and the containers that exist. Whatever a kill left half done is in one of these lists: records are written before the kernel changes. */
export function audit(input: AuditInput): Leak[] {
  return [
    ...namespaceLeaks(input),
    ...portLeaks(input),
    ...endpointLeaks(input),
    ...leaseLeaks(input),
    ...linkLeaks(input),
    ...ruleLeaks(input),
  ];
}

function namespaceLeaks({ namespaces, containers }: AuditInput): Leak[] {
  return namespaces
    .list()
    .filter(id => !containers.has(id))
    .map(id => ({
      sentence: `the network namespace of container ${shortId(id)} is left over; there is no such container`,
      repair: () => namespaces.delete(id),
    }));
}

function portLeaks({ ports, containers }: AuditInput): Leak[] {
  return [
    ...ports
      .all()
      .filter(record => !containers.has(record.containerId))
      .map(record => ({
        sentence: `ports of container ${shortId(record.containerId)} are still published; there is no such container`,
        repair: () => ports.remove(record.containerId),
      })),
    ...ports.staleClaims().map(({ path, owner }) => ({
      sentence: `the port claim ${path} is left over`,
      repair: () => unclaim(path, owner),
    })),
  ];
}

function endpointLeaks({ endpoints, containers, networks }: AuditInput): Leak[] {
  const known = new Set(networks.map(network => network.id));
  return endpoints.files.networks().flatMap(networkId =>
    endpoints.files.ofNetwork(networkId).flatMap(record => {
      const who = `container ${shortId(record.containerId)} in the network ${record.endpoint.networkName}`;
      const repair = () => endpoints.drop(record);
      if (!known.has(networkId))
        return [{ sentence: `the endpoint of ${who} is left over; there is no such network`, repair }];
      if (!containers.has(record.containerId))
        return [{ sentence: `the endpoint of ${who} is left over; there is no such container`, repair }];
      const complete =
        record.hostInterface === "" || (isNamespace(record.netnsPath) && isPluggedIn(record.hostInterface));
      return complete
        ? []
        : [{ sentence: `the endpoint of ${who} is recorded but not plugged in`, repair, passing: true }];
    }),
  );
}

function leaseLeaks({ endpoints }: AuditInput): Leak[] {
  return endpoints.leases.networks().flatMap(networkId =>
    endpoints.leases.holders(networkId).flatMap(({ address, containerId }) => {
      const endpoint = endpoints.files.read(networkId, containerId)?.endpoint;
      if (endpoint?.ipv4 === address || endpoint?.ipv6 === address) return [];
      return [
        {
          sentence: `the address ${address} is taken for container ${shortId(containerId)}, which does not use it`,
          repair: () => endpoints.leases.giveBack(networkId, containerId, [address]),
          passing: true,
        },
      ];
    }),
  );
}

function linkLeaks(input: AuditInput): Leak[] {
  using socket = new NetlinkSocket();
  return socket.dump(listLinks(), parseLink).flatMap(link => {
    const owner = input.names.parseAlias(link.alias);
    return owner === undefined ? [] : linkLeak(input, link, owner);
  });
}

function linkLeak(
  { containers, endpoints, networks }: AuditInput,
  { name }: Link,
  owner: { networkId: string; containerId?: string },
): Leak[] {
  const repair = () => unplug(name);
  const { networkId, containerId } = owner;
  if (containerId === undefined) {
    if (!networks.some(network => network.id === networkId))
      return [{ sentence: `the bridge ${name} belongs to no network`, repair }];
    const isIdle = containers.size === 0 && endpoints.files.isEmpty(networkId);
    return isIdle ? [{ sentence: `the bridge ${name} is up, and there is no container`, repair, idle: true }] : [];
  }
  if (endpoints.files.read(networkId, containerId)?.hostInterface === name) return [];
  return [
    { sentence: `the interface ${name} of container ${shortId(containerId)} is left over`, repair, passing: true },
  ];
}

/** Elements that the records do not know, and recorded ones that are missing (a firewall was flushed). */
function ruleLeaks({ networks, bridges, ports, names, ruleset }: AuditInput): Leak[] {
  const up = networks.filter(network => isBridge(network) && bridges.find(network) !== undefined);
  if (ruleset === undefined) {
    return up.length === 0
      ? []
      : [{ sentence: `the table ${names.table} is missing in the firewall, and networks are up` }];
  }
  const published = ports.all().flatMap(record => record.rules);
  const wanted = elementsIn(
    up.map(network => addNetwork(names.table, rulesOf(network))).join("") +
      addPorts(names.table, published) +
      balancePorts(names.table, published, published),
  );
  const there = elementsIn(ruleset);
  const surplus = [...there].filter(element => !wanted.has(element));
  const missing = [...wanted].filter(element => !there.has(element));
  return [
    ...surplus.map(element => ({ sentence: `the firewall has a rule that is recorded nowhere: ${element}` })),
    ...missing.map(element => ({ sentence: `the firewall lacks a recorded rule: ${element}` })),
    ...(up.length === 0 && surplus.length === 0
      ? [{ sentence: `the table ${names.table} is in the firewall, and no network is up` }]
      : []),
  ];
}
