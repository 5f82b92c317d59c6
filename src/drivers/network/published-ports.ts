import { readFileSync } from "node:fs";
import { BerthError } from "../../base/errors.ts";
import type { PortSpec, PublishedPort } from "../../model/container.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EndpointRecord } from "./endpoint-files.ts";
import { holderOf, portState } from "./host-sockets.ts";
import type { Nft } from "./nft.ts";
import { allowHairpin, gatewayEndpoint } from "./plug.ts";
import type { HeldPort, PortFiles, PortRecord } from "./port-files.ts";
import { candidates, collide, type PortTargets, type PortWish, portWishes, published, ruleOf } from "./port-plan.ts";
import { addPorts, balancePorts, deletePorts, type PortRule } from "./rules.ts";
import { forgetStaleFlows } from "./stale-flows.ts";

export interface PublishedPortsOptions {
  files: PortFiles;
  table: string;
  nft: Nft;
  /** In [0, 1). */
  random: () => number;
  /** Writes all rules again from the records, which the failed change has already reached. */
  rewriteRules: () => Promise<void>;
}

/** Ports of containers on the host. No process listens: the kernel leads each packet to the container, and keeps the client's address. */
export class PublishedPorts {
  readonly #options: PublishedPortsOptions;

  constructor(options: PublishedPortsOptions) {
    this.#options = options;
  }

  async publish(
    member: { containerId: string; containerName: string; records: EndpointRecord[]; hostAddress?: string },
    ports: PortSpec[],
    options: CallOptions = {},
  ): Promise<PublishedPort[]> {
    const { files } = this.#options;
    // Most containers have no ports: they need no lock.
    if (ports.length === 0 && files.read(member.containerId) === undefined) return [];
    await using _lock = await files.lock(options);
    const targets: PortTargets = {
      ipv4: gatewayEndpoint(member.records, 4),
      ipv6: gatewayEndpoint(member.records, 6),
      defaultHostAddress: member.hostAddress,
    };
    const before = files.read(member.containerId);
    const chosen = this.#choose(member.containerId, ports, targets);
    const endpoints = [targets.ipv4, targets.ipv6].map(endpoint => endpoint?.endpointId);
    const record: PortRecord = {
      containerId: member.containerId,
      containerName: member.containerName,
      ports: chosen.map(({ port }) => port),
      rules: chosen.map(({ rule }) => rule),
      hostInterfaces: member.records
        .filter(({ endpoint }) => endpoints.includes(endpoint.endpointId))
        .map(({ hostInterface }) => hostInterface),
    };
    files.write(record);
    try {
      await this.#change(`publish the ports of ${member.containerName}`, before?.rules ?? [], record.rules);
      for (const name of record.hostInterfaces) allowHairpin(name, record.ports.length > 0);
    } catch (thrown) {
      files.remove(member.containerId);
      throw thrown;
    }
    if (record.ports.length === 0) files.remove(member.containerId);
    return record.ports;
  }

  async unpublish(containerId: string, options: CallOptions = {}): Promise<void> {
    const { files } = this.#options;
    if (files.read(containerId) === undefined) return;
    await using _lock = await files.lock(options);
    const record = files.read(containerId);
    if (record === undefined) return;
    files.remove(containerId);
    await this.#change(`unpublish the ports of ${record.containerName}`, record.rules, []);
    for (const name of record.hostInterfaces) allowHairpin(name, false);
  }

  /** One transaction: nobody sees the old rules gone and the new ones not there. */
  async #change(what: string, before: PortRule[], after: PortRule[]): Promise<void> {
    const { nft, table, files, rewriteRules } = this.#options;
    const all = files.all().flatMap(({ rules }) => rules);
    const script =
      deletePorts(table, before) + addPorts(table, after) + balancePorts(table, [...before, ...after], all);
    if (script === "") return;
    try {
      nft.run(what, script);
    } catch (thrown) {
      // The kernel's rules are not what the records say: flushed by somebody, or left half done by a kill.
      if (!(thrown instanceof BerthError) || thrown.code !== "internal") throw thrown;
      await rewriteRules();
    }
    forgetStaleFlows(before, after);
  }

  #choose(containerId: string, specs: PortSpec[], targets: PortTargets) {
    if (specs.length === 0) return [];
    const held = this.#options.files.held(containerId);
    const range = ephemeralPorts();
    const chosen: { port: PublishedPort; rule: PortRule }[] = [];
    for (const spec of specs) {
      const wishes = portWishes(spec, targets, range);
      const hostPort = this.#chooseHostPort(
        wishes,
        held,
        chosen.map(({ port }) => port),
      );
      chosen.push(...wishes.map(wish => ({ port: published(wish, hostPort), rule: ruleOf(wish, hostPort) })));
    }
    return chosen;
  }

  /** A port that is free for all wishes of one specification. */
  #chooseHostPort(wishes: PortWish[], held: HeldPort[], chosen: PublishedPort[]): number {
    let reason = "";
    for (const hostPort of candidates(wishes[0]!, this.#options.random)) {
      const refusals = wishes.flatMap(wish => refusal(wish, hostPort, held, chosen) ?? []);
      if (refusals.length === 0) return hostPort;
      reason = refusals[0]!;
    }
    const { firstPort, lastPort, containerPort, protocol, hostAddress } = wishes[0]!;
    const range = firstPort === lastPort ? `${firstPort}` : `${firstPort}-${lastPort}`;
    throw new BerthError(
      "in_use",
      `could not publish port ${containerPort}/${protocol} on ${hostAddress}:${range}: ${reason}`,
      {
        hint: "choose another host port, or stop what holds it",
        details: { hostPort: firstPort },
      },
    );
  }
}

function refusal(wish: PortWish, hostPort: number, held: HeldPort[], chosen: PublishedPort[]): string | undefined {
  const port = published(wish, hostPort);
  const holder = held.find(other => collide(port, other));
  if (holder !== undefined) return `container ${holder.owner} has published it`;
  if (chosen.some(other => collide(port, other))) return "it is asked for twice";
  const state = portState(wish.protocol, wish.hostAddress, hostPort);
  if (state === "not ours") return `${wish.hostAddress} is not an address of this host`;
  if (state === "taken") return `${holderOf(wish.protocol, hostPort) ?? "another program"} listens there`;
  return undefined;
}

/** Where the kernel itself takes ports for outgoing connections, and Docker for `-p 80`. */
function ephemeralPorts(): { first: number; last: number } {
  const [first, last] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim().split(/\s+/).map(Number);
  return { first: first!, last: last! };
}
