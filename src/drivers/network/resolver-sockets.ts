import { closeSync } from "node:fs";
import { inNetworkNamespace } from "../linux/namespace.ts";
import { bindSocket, portOf } from "./host-sockets.ts";
import { type Nft, withNft } from "./nft.ts";

/** Docker's address for the resolver that it puts into every container. */
export const resolverAddress = "127.0.0.11";
const table = "berth-dns";

/**
 * Binds the resolver's sockets inside a container's network namespace. They get free ports, and rules in that namespace rewrite port 53 of this one
 * address to them: so the container's own programs can have port 53 on all addresses, as DNS servers want. The rules keep no state (no conntrack), since
 * queries and answers both pass the namespace's own output.
 */
export function openResolver(netnsPath: string): { udpFd: number; tcpFd: number } {
  return inNetworkNamespace(netnsPath, () => {
    const udpFd = bindSocket("udp", resolverAddress, 0);
    let tcpFd: number | undefined;
    try {
      tcpFd = bindSocket("tcp", resolverAddress, 0);
      const rules = resolverRules(portOf(udpFd), portOf(tcpFd));
      withNft(nft => nft.run("lead the container's DNS queries to its resolver", leftover(nft) + rules));
      return { udpFd, tcpFd };
    } catch (thrown) {
      closeSync(udpFd);
      if (tcpFd !== undefined) closeSync(tcpFd);
      throw thrown;
    }
  });
}

/** Deletes what an earlier resolver, killed since, has left there. Only where there is something: a deletion makes the kernel wait some 20 ms. */
function leftover(nft: Nft): string {
  return nft.list(`list table ip ${table}`) === undefined ? "" : `delete table ip ${table}\n`;
}

export function resolverRules(udpPort: number, tcpPort: number): string {
  return `table ip ${table} {
  chain output {
    type filter hook output priority raw; policy accept;
    ip daddr ${resolverAddress} udp dport 53 udp dport set ${udpPort}
    ip saddr ${resolverAddress} udp sport ${udpPort} udp sport set 53
    ip daddr ${resolverAddress} tcp dport 53 tcp dport set ${tcpPort}
    ip saddr ${resolverAddress} tcp sport ${tcpPort} tcp sport set 53
  }
}
`;
}
