import { readFileSync, writeFileSync } from "node:fs";
import { BerthError } from "../../base/errors.ts";
import type { Endpoint } from "../../model/container.ts";
import type { EngineContext } from "../context.ts";
import { networkMode } from "../lifecycle/namespaces.ts";
import { type HostsEntry, hostsFile, resolvConf } from "../network-files.ts";
import type { ContainerConfig } from "../state/record.ts";
import { linkEntries } from "./links.ts";

/**
 * Writes hosts, hostname and resolv.conf. In place, never by rename: a running container has these very files mounted.
 */
export function writeNetworkFiles(context: EngineContext, config: ContainerConfig, endpoints: Endpoint[]): void {
  const { spec, id } = config;
  const onHost = networkMode(spec).kind === "host";
  const entries = [...extraHosts(spec.extraHosts ?? [], endpoints), ...linkEntries(context, config), ...own()];
  const hosts = onHost ? readOr("/etc/hosts", "") + hostsLines(entries) : hostsFile(entries);
  const resolver = onHost || endpoints.length === 0 ? undefined : context.networks.resolverAddress(endpoints);
  const servers = {
    hostFile: readOr("/etc/resolv.conf", ""),
    resolver,
    servers: spec.dns ?? [],
    search: spec.dnsSearch ?? [],
    options: spec.dnsOptions ?? [],
  };
  writeFileSync(context.paths.file(id, "hosts"), hosts);
  writeFileSync(context.paths.file(id, "hostname"), `${config.hostname}\n`);
  writeFileSync(context.paths.file(id, "resolv.conf"), resolvConf(servers));

  function own(): HostsEntry[] {
    const full = spec.domainname ? [`${config.hostname}.${spec.domainname}`, config.hostname] : [config.hostname];
    return endpoints.flatMap(({ ipv4, ipv6 }) =>
      [ipv4, ipv6].filter(address => address !== undefined).map(address => ({ address, names: full })),
    );
  }
}

/** Empty files: what is bound into the container before its networks are known. */
export function makeNetworkFiles(context: EngineContext, id: string): void {
  for (const name of ["hosts", "hostname", "resolv.conf"] as const) {
    writeFileSync(context.paths.file(id, name), "", { flag: "a", mode: 0o644 });
  }
}

function hostsLines(entries: HostsEntry[]): string {
  return entries.map(({ address, names }) => `${address}\t${names.join(" ")}\n`).join("");
}

/** "name:address" or "name=address"; IPv6 addresses may stand in brackets; "host-gateway" is the host as the first network sees it. */
function extraHosts(list: string[], endpoints: Endpoint[]): HostsEntry[] {
  return list.map(entry => {
    const cut = entry.search(/[:=]/);
    const name = entry.slice(0, cut);
    const address = entry.slice(cut + 1).replace(/^\[(.*)\]$/, "$1");
    return { address: address === "host-gateway" ? hostGateway(name, endpoints) : address, names: [name] };
  });
}

function hostGateway(name: string, endpoints: Endpoint[]): string {
  const gateway = endpoints.map(endpoint => endpoint.gateway || endpoint.ipv6Gateway).find(Boolean);
  if (gateway !== undefined) return gateway;
  throw new BerthError("invalid", `extra host ${name}:host-gateway: none of the container's networks has a gateway`, {
    hint: "give an address in place of host-gateway, or join a network that is not internal",
  });
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}
