import { BerthError } from "../../base/errors.ts";
import type { AddressPool, Network, NetworkSpec } from "../../model/network.ts";
import { toEndpoint } from "../containers/to-container-spec.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Fields } from "../http/fields.ts";
import type { Operation } from "../http/operation.ts";

export const networkOperations: Operation[] = [
  {
    id: "NetworkList",
    method: "GET",
    path: "/networks",
    summary: "List networks",
    query: ["filters"],
    handle: async ({ engine }, exchange) => {
      const networks = await engine.networks.list({ filters: exchange.query.filters() });
      exchange.json(networks.map(network => networkOf(network, {})));
    },
  },
  {
    id: "NetworkInspect",
    method: "GET",
    path: "/networks/{id}",
    summary: "Inspect a network",
    query: ["verbose", "scope"],
    handle: async (docker, exchange) => {
      const network = await docker.engine.networks.get(exchange.param("id"));
      const scope = exchange.query.text("scope");
      if (scope && scope !== "local") throw new BerthError("not_found", `network ${network.name} not found`);
      exchange.json(networkOf(network, await membersOf(docker, network.id)));
    },
  },
  {
    id: "NetworkCreate",
    method: "POST",
    path: "/networks/create",
    summary: "Create a network",
    handle: async ({ engine }, exchange) => {
      const { id } = await engine.networks.create(toNetworkSpec(await exchange.body()), exchange);
      exchange.json({ Id: id, Warning: "" }, 201);
    },
  },
  {
    id: "NetworkDelete",
    method: "DELETE",
    path: "/networks/{id}",
    summary: "Remove a network",
    handle: async ({ engine }, exchange) => {
      await engine.networks.remove(exchange.param("id"));
      exchange.empty();
    },
  },
  {
    id: "NetworkConnect",
    method: "POST",
    path: "/networks/{id}/connect",
    summary: "Connect a container to a network",
    handle: async ({ engine }, exchange) => {
      const body = await exchange.body();
      const endpoint = toEndpoint(body.object("EndpointConfig"));
      await engine.networks.connect(exchange.param("id"), body.text("Container") ?? "", endpoint);
      exchange.empty(200);
    },
  },
  {
    id: "NetworkDisconnect",
    method: "POST",
    path: "/networks/{id}/disconnect",
    summary: "Disconnect a container from a network",
    handle: async ({ engine }, exchange) => {
      const body = await exchange.body();
      const force = body.flag("Force");
      await engine.networks.disconnect(exchange.param("id"), body.text("Container") ?? "", { force });
      exchange.empty(200);
    },
  },
  {
    id: "NetworkPrune",
    method: "POST",
    path: "/networks/prune",
    summary: "Delete unused networks",
    query: ["filters"],
    handle: async ({ engine }, exchange) => {
      const removed = await engine.networks.prune({ filters: exchange.query.filters(), signal: exchange.signal });
      exchange.json({ NetworksDeleted: removed.length > 0 ? removed : null });
    },
  },
];

function toNetworkSpec(body: Fields): NetworkSpec {
  for (const name of ["Ingress", "ConfigOnly", "ConfigFrom"]) {
    if (body.asksFor(name)) {
      throw new BerthError("unsupported", `${name}: networks of swarm mode are not served`, {
        hint: "create a bridge network",
      });
    }
  }
  const scope = body.text("Scope");
  if (scope && scope !== "local") throw new BerthError("unsupported", `Scope: ${scope} is not served here, only local`);
  const ipam = body.object("IPAM");
  const pools = ipam?.objects("Config").filter(pool => pool.asksFor("Subnet")) ?? [];
  return {
    name: body.text("Name") ?? "",
    driver: body.text("Driver") || "bridge",
    internal: body.flag("Internal"),
    attachable: body.flag("Attachable"),
    enableIpv4: body.flag("EnableIPv4"),
    enableIpv6: body.flag("EnableIPv6"),
    options: body.map("Options") ?? {},
    labels: body.map("Labels") ?? {},
    ipamDriver: ipam?.text("Driver") || undefined,
    ipamOptions: ipam?.map("Options"),
    pools: pools.length > 0 ? pools.map(toPool) : undefined,
  };
}

function toPool(fields: Fields): AddressPool {
  return {
    subnet: fields.text("Subnet") ?? "",
    gateway: fields.text("Gateway") || undefined,
    ipRange: fields.text("IPRange") || undefined,
    auxAddresses: fields.map("AuxiliaryAddresses") ?? fields.map("AuxAddress"),
  };
}

function networkOf(network: Network, containers: Record<string, object>) {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.createdAt,
    Scope: "local",
    Driver: network.driver,
    EnableIPv4: network.enableIpv4 ?? true,
    EnableIPv6: network.enableIpv6 ?? false,
    IPAM: {
      Driver: network.ipamDriver ?? "default",
      Options: network.ipamOptions ?? null,
      Config: network.pools.map(pool => ({
        Subnet: pool.subnet,
        ...(pool.ipRange ? { IPRange: pool.ipRange } : {}),
        ...(pool.gateway ? { Gateway: pool.gateway } : {}),
        ...(pool.auxAddresses ? { AuxiliaryAddresses: pool.auxAddresses } : {}),
      })),
    },
    Internal: network.internal ?? false,
    Attachable: network.attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: containers,
    Options: network.options,
    Labels: network.labels,
  };
}

async function membersOf({ engine }: DockerContext, networkId: string): Promise<Record<string, object>> {
  const members = await engine.networks.members(networkId);
  const address = (ip: string | undefined, prefix: number | undefined) => (ip ? `${ip}/${prefix}` : "");
  return Object.fromEntries(
    members.map(({ containerId, containerName, endpoint }) => [
      containerId,
      {
        Name: containerName,
        EndpointID: endpoint.endpointId,
        MacAddress: endpoint.macAddress,
        IPv4Address: address(endpoint.ipv4, endpoint.prefixLength),
        IPv6Address: address(endpoint.ipv6, endpoint.ipv6PrefixLength),
      },
    ]),
  );
}
