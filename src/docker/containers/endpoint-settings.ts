import type { Endpoint, EndpointSpec } from "../../model/container.ts";

/** Networks of a container as Docker shows them: those it is plugged into, and while it does not run those it will be. */
export function networksOf(endpoints: Endpoint[], asked: EndpointSpec[] = []): Record<string, object> {
  const plugged = endpoints.map(endpoint => [endpoint.networkName, pluggedSettings(endpoint)] as const);
  const names = new Set(plugged.map(([name]) => name));
  const waiting = asked
    .filter(({ network }) => !names.has(network) && !endpoints.some(({ networkId }) => networkId.startsWith(network)))
    .map(spec => [spec.network, waitingSettings(spec)] as const);
  return Object.fromEntries([...plugged, ...waiting]);
}

function pluggedSettings(endpoint: Endpoint) {
  return {
    ...requested(endpoint.requested),
    MacAddress: endpoint.macAddress,
    DriverOpts: endpoint.driverOptions ?? null,
    GwPriority: endpoint.requested.gatewayPriority ?? 0,
    NetworkID: endpoint.networkId,
    EndpointID: endpoint.endpointId,
    Gateway: endpoint.gateway ?? "",
    IPAddress: endpoint.ipv4 ?? "",
    IPPrefixLen: endpoint.prefixLength ?? 0,
    IPv6Gateway: endpoint.ipv6Gateway ?? "",
    GlobalIPv6Address: endpoint.ipv6 ?? "",
    GlobalIPv6PrefixLen: endpoint.ipv6PrefixLength ?? 0,
    DNSNames: endpoint.dnsNames,
  };
}

function waitingSettings(spec: EndpointSpec) {
  return {
    ...requested(spec),
    MacAddress: spec.macAddress ?? "",
    DriverOpts: spec.driverOptions ?? null,
    GwPriority: spec.gatewayPriority ?? 0,
    NetworkID: "",
    EndpointID: "",
    Gateway: "",
    IPAddress: "",
    IPPrefixLen: 0,
    IPv6Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}

function requested({ ipv4, ipv6, linkLocalAddresses, aliases }: EndpointSpec) {
  const fixed = ipv4 || ipv6 || linkLocalAddresses?.length;
  return {
    IPAMConfig: fixed ? { IPv4Address: ipv4, IPv6Address: ipv6, LinkLocalIPs: linkLocalAddresses } : null,
    Links: null,
    Aliases: aliases?.length ? aliases : null,
  };
}
