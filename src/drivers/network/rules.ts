import type { Protocol } from "../../model/container.ts";
import { formatIp, parseIp } from "../netlink/ip.ts";

/**
 * The text of all nftables rules of one instance, as nft scripts. One table of our own holds a few static chains over sets and maps; a network or a
 * published port is an element in them, so that adding one takes the same time whether there are ten or ten thousand.
 */
export interface NetworkRules {
  bridge: string;
  internal: boolean;
  masquerade: boolean;
  /** CIDR. */
  subnets4: string[];
  subnets6: string[];
}

/** A host port and where it leads. `hostAddress` absent: any address of the host, of the family of `address`. */
export interface PortRule {
  protocol: Protocol;
  hostAddress?: string;
  hostPort: number;
  address: string;
  port: number;
  /** Rules for one host port with the same word lead to all their addresses, by chance. */
  shared?: string;
}

export function baseRules(table: string): string {
  return `table inet ${table} {
  set bridges {
    type ifname
  }
  set internal {
    type ifname
  }
  set within {
    type ifname . ifname
  }
  set subnets4 {
    type ipv4_addr
    flags interval
  }
  set subnets6 {
    type ipv6_addr
    flags interval
  }
  set masquerade4 {
    type ipv4_addr
    flags interval
  }
  set masquerade6 {
    type ipv6_addr
    flags interval
  }
  map ports4 {
    type inet_proto . inet_service : ipv4_addr . inet_service
  }
  map ports6 {
    type inet_proto . inet_service : ipv6_addr . inet_service
  }
  map addressed4 {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
  }
  map addressed6 {
    type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
  }

  map balanced {
    type inet_proto . inet_service : verdict
  }

  chain protect {
    comment "127.0.0.0/8 is routed to the bridges for published ports: no container may use it to reach or to imitate the host"
    type filter hook prerouting priority raw; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
    iifname @bridges ip saddr 127.0.0.0/8 drop
  }
  chain publish {
    meta l4proto != { tcp, udp } return
    ip6 daddr ::1 return
    meta l4proto . th dport vmap @balanced
    dnat ip to ip daddr . meta l4proto . th dport map @addressed4
    dnat ip to meta l4proto . th dport map @ports4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @addressed6
    dnat ip6 to meta l4proto . th dport map @ports6
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local goto publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local goto publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    oifname @bridges ct status dnat ip saddr @subnets4 masquerade
    oifname @bridges ct status dnat ip6 saddr @subnets6 masquerade
    oifname != @bridges ip saddr @masquerade4 masquerade
    oifname != @bridges ip6 saddr @masquerade6 masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname . oifname @within accept
    iifname @internal drop
    oifname @internal drop
    ct state established,related accept
    ct status dnat accept
    oifname @bridges drop
  }
}
`;
}

function change(verb: "add" | "delete", table: string, elements: [name: string, element: string][]): string {
  return elements.map(([name, element]) => `${verb} element inet ${table} ${name} { ${element} }\n`).join("");
}

function networkElements(network: NetworkRules): [string, string][] {
  const name = JSON.stringify(network.bridge);
  const of = (set: string, elements: string[]): [string, string][] => elements.map(element => [set, element]);
  return [
    ["bridges", name],
    ["within", `${name} . ${name}`],
    ...(network.internal ? of("internal", [name]) : []),
    ...of("subnets4", network.subnets4),
    ...of("subnets6", network.subnets6),
    ...(network.masquerade && !network.internal ? of("masquerade4", network.subnets4) : []),
    ...(network.masquerade && !network.internal ? of("masquerade6", network.subnets6) : []),
  ];
}

export function addNetwork(table: string, network: NetworkRules): string {
  return change("add", table, networkElements(network));
}

export function deleteNetwork(table: string, network: NetworkRules): string {
  return change("delete", table, networkElements(network));
}

function portElement(rule: PortRule): [string, string] {
  const family = parseIp(rule.address).family;
  const target = `${rule.address} . ${rule.port}`;
  const service = `${rule.protocol} . ${rule.hostPort}`;
  if (rule.hostAddress === undefined) return [`ports${family}`, `${service} : ${target}`];
  return [`addressed${family}`, `${formatIp(parseIp(rule.hostAddress))} . ${service} : ${target}`];
}

const isShared = (rule: PortRule) => rule.shared !== undefined;

export function addPorts(table: string, rules: PortRule[]): string {
  return change("add", table, rules.filter(rule => !isShared(rule)).map(portElement));
}

export function deletePorts(table: string, rules: PortRule[]): string {
  return change("delete", table, rules.filter(rule => !isShared(rule)).map(portElement));
}

/** Shared ports that `changed` touches, written anew with all that `all` leads to: one chain for each, replaced within the transaction. */
export function balancePorts(table: string, changed: PortRule[], all: PortRule[]): string {
  const key = ({ protocol, hostPort }: PortRule) => `${protocol} . ${hostPort}`;
  const keys = new Set(changed.filter(isShared).map(key));
  return [...keys]
    .map(service =>
      balanceOne(
        table,
        service,
        all.filter(rule => isShared(rule) && key(rule) === service),
      ),
    )
    .join("");
}

function balanceOne(table: string, service: string, members: PortRule[]): string {
  const chain = `balance_${service.replace(" . ", "_")}`;
  const element = `element inet ${table} balanced { ${service} : goto ${chain} }\n`;
  const fresh = `add chain inet ${table} ${chain}\nflush chain inet ${table} ${chain}\n`;
  if (members.length === 0) return `${fresh}delete ${element}delete chain inet ${table} ${chain}\n`;
  const bySide = Map.groupBy(
    members,
    ({ address, hostAddress }) => `${parseIp(address).family === 4 ? "ip" : "ip6"} ${hostAddress ?? ""}`,
  );
  const rules = [...bySide].map(([side, targets]) => {
    const [family = "", hostAddress = ""] = side.split(" ");
    const where =
      hostAddress === ""
        ? `meta nfproto ${family === "ip" ? "ipv4" : "ipv6"}`
        : `${family} daddr ${formatIp(parseIp(hostAddress))}`;
    const map = targets.map(({ address, port }, index) => `${index} : ${address} . ${port}`).join(", ");
    return `add rule inet ${table} ${chain} ${where} meta l4proto { tcp, udp } dnat ${family} to numgen random mod ${targets.length} map { ${map} }\n`;
  });
  return `${fresh}${rules.join("")}add ${element}`;
}

/** Everything again from records, in one transaction: what a killed process or a foreign hand left is gone, and no connection is interrupted. */
export function replaceAll(table: string, networks: NetworkRules[], ports: PortRule[]): string {
  return (
    `table inet ${table}\ndelete table inet ${table}\n` +
    baseRules(table) +
    networks.map(network => addNetwork(table, network)).join("") +
    addPorts(table, ports) +
    balancePorts(table, ports, ports)
  );
}

export function deleteTable(table: string): string {
  return `table inet ${table}\ndelete table inet ${table}\n`;
}

/**
 * The elements in a listing by nft, or in a script of ours, in one spelling: "ports4 6 . 80 : 172.17.0.2 . 80". Only what changes is in it: the chains
 * come and go with the table.
 */
export function elementsIn(text: string): Set<string> {
  const found = new Set<string>();
  const blocks = text.matchAll(
    /(?:set|map) (\w+) \{[^{}]*?elements = \{([^}]*)\}|add element inet \S+ (\w+) \{([^}]*)\}/g,
  );
  for (const [, listed, listedElements, added, addedElements] of blocks) {
    for (const element of (listedElements ?? addedElements ?? "").split(",")) {
      const words = element.trim().split(/\s+/).filter(Boolean);
      if (words.length > 0)
        found.add(`${listed ?? added} ${words.map(word => protocolNumbers.get(word) ?? word).join(" ")}`);
    }
  }
  return found;
}

const protocolNumbers = new Map([
  ["tcp", "6"],
  ["udp", "17"],
]);
