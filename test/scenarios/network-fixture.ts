import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { BridgeNetworks, type BridgeNetworksOptions } from "../../src/drivers/network/bridge-networks.ts";
import type { Endpoint, EndpointSpec } from "../../src/model/container.ts";
import type { NetworkSpec } from "../../src/model/network.ts";
import type { NetworkMember } from "../../src/ports/network.ts";

const run = promisify(execFile);

/** A container as far as networks care: a namespace with processes in it. */
export interface Member {
  id: string;
  name: string;
  netnsPath: string;
  endpoints: Endpoint[];
}

/** A machine beside this one, joined by a cable. */
export interface OutsideHost extends Member {
  address: string;
  address6: string;
  hostAddress: string;
  hostAddress6: string;
}

/** An instance of its own with everything in a temporary directory; `close` leaves nothing behind. */
export class NetworkFixture {
  readonly directory = mkdtempSync(join(tmpdir(), "berth-network-"));
  readonly instance = `t${newId().slice(0, 6)}`;
  readonly networks: BridgeNetworks;
  readonly #members: Member[] = [];
  readonly #processes: ChildProcess[] = [];

  constructor(options: Partial<BridgeNetworksOptions> = {}) {
    this.networks = this.open(options);
  }

  /** A further user of the same state, as another process would be. */
  open(options: Partial<BridgeNetworksOptions> = {}): BridgeNetworks {
    return new BridgeNetworks({
      definitionsDirectory: join(this.directory, "networks"),
      stateDirectory: join(this.directory, "run"),
      instance: this.instance,
      locks: new FileLocks(systemClock),
      clock: systemClock,
      random: Math.random,
      resolverCommand: [process.execPath, join(import.meta.dirname, "../../src/main/berth-dns.ts")],
      ...options,
    });
  }

  /** A network of the instance with a name of its own. */
  async network(name: string, spec: Partial<NetworkSpec> = {}): Promise<string> {
    await this.networks.create({ name, driver: "bridge", options: {}, labels: {}, ...spec });
    return name;
  }

  async member(name: string, ...specs: (string | EndpointSpec)[]): Promise<Member> {
    const id = newId();
    const netnsPath = await this.networks.createNamespace(id);
    const member: Member = { id, name, netnsPath, endpoints: [] };
    this.#members.push(member);
    for (const spec of specs) await this.connect(member, typeof spec === "string" ? { network: spec } : spec);
    return member;
  }

  async connect(member: Member, spec: EndpointSpec, further: Partial<NetworkMember> = {}): Promise<Endpoint> {
    const { id, name, netnsPath } = member;
    const who = { containerId: id, containerName: name, hostname: name, netnsPath, ...further };
    const endpoint = await this.networks.connect(who, spec);
    member.endpoints.push(endpoint);
    return endpoint;
  }

  #outside: OutsideHost | undefined;

  /** Has routes to the containers' subnets through this host, as a neighbour on the same wire could set them up. */
  async outsideHost(): Promise<OutsideHost> {
    if (this.#outside !== undefined) return this.#outside;
    const id = newId();
    const netnsPath = await this.networks.createNamespace(id);
    const host: OutsideHost = {
      id,
      name: "outside",
      netnsPath,
      endpoints: [],
      address: "198.51.100.2",
      address6: "fd98:51:100::2",
      hostAddress: "198.51.100.1",
      hostAddress6: "fd98:51:100::1",
    };
    this.#members.push(host);
    const cable = `x${this.instance}`;
    await this.run(undefined, ["ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", netnsPath]);
    for (const [where, link, v4, v6] of [
      [undefined, cable, host.hostAddress, host.hostAddress6],
      [host, "eth0", host.address, host.address6],
    ] as const) {
      await this.run(where, ["ip", "addr", "add", `${v4}/24`, "dev", link]);
      await this.run(where, ["ip", "addr", "add", `${v6}/64`, "dev", link, "nodad"]);
      await this.run(where, ["ip", "link", "set", link, "up"]);
    }
    await this.run(host, ["ip", "route", "add", "default", "via", host.hostAddress]);
    this.#outside = host;
    return host;
  }

  /** Starts a program in a member's namespace (or the host's) that runs until the end of the test. */
  start(where: Member | undefined, command: string[]): ChildProcess {
    const [program, ...args] = where ? ["nsenter", `--net=${where.netnsPath}`, ...command] : command;
    const child = spawn(program!, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#processes.push(child);
    return child;
  }

  /** Answers every connection with the address it came from. Resolves when it listens. */
  async serve(where: Member | undefined, protocol: "tcp" | "udp", port: number, address = "::"): Promise<void> {
    const child = this.start(where, [process.execPath, "-e", servers[protocol], String(port), address]);
    await new Promise<void>((resolve, reject) => {
      child.stdout!.once("data", () => resolve());
      child.once("exit", code => reject(new Error(`the ${protocol} server ended with ${code}`)));
    });
  }

  /** What a server answers: the client's address as the server sees it; "" when nothing answers in time. */
  async ask(
    where: Member | { netnsPath: string } | undefined,
    protocol: "tcp" | "udp",
    address: string,
    port: number,
    timeout_ms = 3000,
  ): Promise<string> {
    return this.run(where, [process.execPath, "-e", clients[protocol], String(port), address, String(timeout_ms)]);
  }

  async pings(where: Member, address: string): Promise<boolean> {
    const result = await this.run(where, ["busybox", "ping", "-c1", "-W1", address]).catch(() => "");
    return result.includes("1 packets received");
  }

  /** What the member's own resolver says: addresses or names in order, or the error code. */
  async lookup(where: Member, name: string, type: "A" | "AAAA" | "PTR" = "A", tcp = false): Promise<string[] | string> {
    const text = await this.run(where, [process.execPath, "-e", lookups, name, type, tcp ? "tcp" : "udp"]);
    return JSON.parse(text);
  }

  async run(where: { netnsPath: string } | undefined, command: string[]): Promise<string> {
    const [program, ...args] = where ? ["nsenter", `--net=${where.netnsPath}`, ...command] : command;
    const { stdout } = await run(program!, args);
    return stdout.trim();
  }

  async close(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise(resolve => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
    for (const member of this.#members) await this.networks.release(member.id);
    await this.networks.prune({});
    await this.networks.check(new Set(), { repair: true });
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Speaks to the resolver's address itself, since the host's resolv.conf is not the container's. */
const lookups = `
  const [name, type, transport] = process.argv.slice(1);
  const packet = require("${join(import.meta.dirname, "../../node_modules/dns-packet")}");
  const query = packet.encode({ type: "query", id: 4711, flags: packet.RECURSION_DESIRED, questions: [{ name, type }] });
  const show = bytes => {
    const answer = packet.decode(bytes);
    const code = answer.flags & 15;
    console.log(JSON.stringify(code ? answer.rcode : answer.flag_tc ? "TRUNCATED" : answer.answers.map(each => each.data)));
    process.exit(0);
  };
  setTimeout(() => { console.log(JSON.stringify("TIMEOUT")); process.exit(0); }, 5000);
  if (transport === "udp") {
    const socket = require("dgram").createSocket("udp4");
    socket.on("message", show).send(query, 53, "127.0.0.11");
  } else {
    const length = Buffer.alloc(2); length.writeUInt16BE(query.length);
    let all = Buffer.alloc(0);
    require("net").connect(53, "127.0.0.11").on("data", data => {
      all = Buffer.concat([all, data]);
      if (all.length > 2 && all.length >= 2 + all.readUInt16BE(0)) show(all.subarray(2));
    }).write(Buffer.concat([length, query]));
  }`;

const servers = {
  tcp: `
    require("net").createServer(socket => socket.on("error", () => {}).end(socket.remoteAddress.replace(/^::ffff:/, "")))
      .listen(Number(process.argv[1]), process.argv[2], () => console.log("listening"));`,
  udp: `
    const socket = require("dgram").createSocket(process.argv[2].includes(":") ? "udp6" : "udp4");
    socket.on("message", (_, from) => socket.send(from.address.replace(/^::ffff:/, ""), from.port, from.address));
    socket.bind(Number(process.argv[1]), process.argv[2], () => console.log("listening"));`,
};

const clients = {
  tcp: `
    const socket = require("net").connect(Number(process.argv[1]), process.argv[2]);
    socket.setTimeout(Number(process.argv[3]), () => process.exit(0));
    socket.on("data", data => { console.log(String(data)); process.exit(0); }).on("error", () => process.exit(0));`,
  udp: `
    const socket = require("dgram").createSocket(process.argv[2].includes(":") ? "udp6" : "udp4");
    setTimeout(() => process.exit(0), Number(process.argv[3]));
    socket.on("message", data => { console.log(String(data)); process.exit(0); }).on("error", () => process.exit(0));
    socket.send("hello", Number(process.argv[1]), process.argv[2]);`,
};
