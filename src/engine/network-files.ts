/** The three files that the engine writes for a container: /etc/hosts, /etc/hostname and /etc/resolv.conf. */

const standardHosts = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

export interface HostsEntry {
  address: string;
  names: string[];
}

/** The container's own name comes last, after extra hosts and links, as Docker has it. */
export function hostsFile(entries: HostsEntry[]): string {
  return standardHosts + entries.map(({ address, names }) => `${address}\t${names.join(" ")}\n`).join("");
}

export interface ResolverInput {
  /** The host's /etc/resolv.conf. */
  hostFile: string;
  /** Answers for the container's networks; takes the place of all other servers. */
  resolver?: string;
  servers: string[];
  search: string[];
  options: string[];
}

/** Used where the host names none that a container can reach. */
const publicServers = ["8.8.8.8", "8.8.4.4"];

/**
 * The host's file with what the container asks for in place of it. The host's servers on its own loopback are left out: in the container's network
 * namespace that address is the container itself. `search ["."]` means no search domains.
 */
export function resolvConf({ hostFile, resolver, servers, search, options }: ResolverInput): string {
  const host = parse(hostFile);
  const reachable = host.servers.filter(server => !server.startsWith("127.") && server !== "::1");
  const chosen = resolver ? [resolver] : servers.length > 0 ? servers : reachable;
  const names = chosen.length > 0 ? chosen : publicServers;
  const domains = search.length > 0 ? search.filter(domain => domain !== ".") : host.search;
  const settings = options.length > 0 ? options : host.options;
  return [
    ...names.map(server => `nameserver ${server}`),
    ...(domains.length > 0 ? [`search ${domains.join(" ")}`] : []),
    ...(settings.length > 0 ? [`options ${settings.join(" ")}`] : []),
    "",
  ].join("\n");
}

function parse(text: string): { servers: string[]; search: string[]; options: string[] } {
  const words = text.split("\n").map(line =>
    line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/),
  );
  const valuesOf = (key: string) => words.filter(line => line[0] === key).map(line => line.slice(1));
  return {
    servers: valuesOf("nameserver").flatMap(line => line.slice(0, 1)),
    search: (valuesOf("search").at(-1) ?? valuesOf("domain").at(-1)?.slice(0, 1) ?? []).filter(Boolean),
    options: valuesOf("options").flat(),
  };
}
