import type { Clock } from "../base/clock.ts";
import { BerthError } from "../base/errors.ts";
import type { Container, ContainerSpec, ContainerSummary, HealthStatus, PortSpec } from "../model/container.ts";
import type { EngineEvent } from "../model/event.ts";
import type { Image } from "../model/image.ts";
import type { Network, NetworkSpec } from "../model/network.ts";
import type { Volume, VolumeSpec } from "../model/volume.ts";
import type { Engine, Filters } from "../ports/engine.ts";
import type { Power } from "./power.ts";

/** How containers of an image behave. */
export interface Behaviour {
  /** Ends by itself after so long, with this code. */
  exits?: { after_ms: number; code: number };
  /** Has a health check that says so after so long. */
  health?: { after_ms: number; status: HealthStatus; output?: string };
  /** Starting it fails. */
  startError?: string;
}

export interface EngineWorldOptions {
  clock: Clock;
  /** In [0, 1): how long things take. */
  random: () => number;
  behaviours?: Record<string, Behaviour>;
  /** Slots that may have two running tasks for a while (start-first), as "app/service". */
  twoAtOnce?: Set<string>;
}

/**
 * A host's containers, networks and volumes in memory, with time passing on the simulated clock. It outlives the processes that use it: each gets its own
 * `session`. What must never happen is written to `violations`.
 */
export class EngineWorld {
  readonly containers = new Map<string, Container>();
  readonly networks = new Map<string, Network>();
  readonly volumes = new Map<string, Volume>();
  readonly images = new Map<string, Image>();
  readonly violations: string[] = [];
  /** "create shop-web-1", "start shop-web-1" … in order. */
  readonly journal: string[] = [];
  /** How long each `stop` was to wait; undefined: as the container says. */
  readonly stopTimeouts: (number | undefined)[] = [];
  readonly behaviours: Record<string, Behaviour>;
  readonly #options: EngineWorldOptions;
  readonly #subscribers = new Set<(event: EngineEvent) => void>();
  #count = 0;

  constructor(options: EngineWorldOptions) {
    this.#options = options;
    this.behaviours = options.behaviours ?? {};
  }

  addImage(reference: string, id = `sha256:${reference}`): void {
    // Only what the control plane reads of an image.
    const image = { id, tags: [reference], repoDigests: [], createdAt: this.#now() } as unknown as Image;
    this.images.set(reference, image);
    this.images.set(id, image);
  }

  running(): Container[] {
    return [...this.containers.values()].filter(({ state }) => state.status === "running" || state.status === "paused");
  }

  /** As a power failure of the host: everything stops, nothing is told. */
  reboot(): void {
    for (const container of this.containers.values()) {
      if (container.state.status === "running" || container.state.status === "paused") {
        container.state = { ...container.state, status: "exited", exitCode: 255, finishedAt: this.#now() };
      }
    }
  }

  /** A container ends by itself. */
  exit(id: string, code: number): void {
    const container = this.containers.get(id);
    if (!container || (container.state.status !== "running" && container.state.status !== "paused")) return;
    container.state = { ...container.state, status: "exited", exitCode: code, finishedAt: this.#now() };
    container.publishedPorts = [];
    this.journal.push(`exit ${container.name} ${code}`);
    this.#emit("die", container);
  }

  setHealth(id: string, status: HealthStatus, output = ""): void {
    const container = this.containers.get(id);
    if (container?.state.status !== "running") return;
    const probe = { startedAt: this.#now(), endedAt: this.#now(), exitCode: status === "healthy" ? 0 : 1, output };
    container.state = {
      ...container.state,
      health: { status, failingStreak: status === "unhealthy" ? 3 : 0, log: [probe] },
    };
    this.#emit(`health_status: ${status}`, container);
  }

  /** The world as one process sees it. */
  session(power: Power): Engine {
    const effect = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
      await this.#options.clock.sleep(1 + Math.floor(this.#options.random() * 20));
      return power.effect(name, work);
    };
    const engine = {
      containers: {
        create: (spec: ContainerSpec) => effect(`create ${spec.name}`, () => this.#create(spec)),
        start: (id: string) => effect(`start ${id}`, () => this.#start(id)),
        stop: (id: string, options?: { timeout_ms?: number }) => {
          this.stopTimeouts.push(options?.timeout_ms);
          return effect(`stop ${id}`, () => this.#stop(id));
        },
        kill: (id: string) => effect(`kill ${id}`, () => this.exit(this.#get(id).id, 137)),
        remove: (id: string, options: { volumes?: boolean }) => effect(`remove ${id}`, () => this.#remove(id, options)),
        update: (id: string, { ports }: { ports?: PortSpec[] }) =>
          effect(`update ${id}`, () => this.#publish(this.#get(id), ports ?? [])),
        rename: (id: string, name: string) => effect(`rename ${id} ${name}`, () => this.#rename(id, name)),
        pause: (id: string) => effect(`pause ${id}`, () => this.#setPaused(id, true)),
        unpause: (id: string) => effect(`unpause ${id}`, () => this.#setPaused(id, false)),
        inspect: (id: string) => power.read(() => structuredClone(this.#get(id))),
        list: (options: { filters?: Filters }) => power.read(() => this.#list(options.filters?.["label"] ?? [])),
        wait: (id: string) => power.read(() => ({ exitCode: this.#get(id).state.exitCode })),
        createExec: (id: string) => effect(`exec ${id}`, () => `exec-${this.#get(id).id}`),
        startExec: () => power.read(() => undefined),
        waitExec: () => power.read(() => 0),
      },
      images: {
        find: (reference: string) => power.read(() => this.images.get(reference)),
        pull: (reference: string) =>
          effect(`pull ${reference}`, () => {
            this.addImage(reference);
            return this.images.get(reference);
          }),
        canBootstrap: () => false,
        remove: (reference: string) => effect(`rmi ${reference}`, () => (this.images.delete(reference) ? [] : [])),
      },
      networks: {
        create: (spec: NetworkSpec) => effect(`create network ${spec.name}`, () => this.#createNetwork(spec)),
        get: (name: string) => power.read(() => found(this.networks.get(name), "network", name)),
        remove: (name: string) => effect(`remove network ${name}`, () => this.#removeNetwork(name)),
      },
      volumes: {
        create: (spec: VolumeSpec) => effect(`create volume ${spec.name}`, () => this.#createVolume(spec)),
        get: (name: string) => power.read(() => found(this.volumes.get(name), "volume", name)),
        remove: (name: string) => effect(`remove volume ${name}`, () => this.#removeVolume(name)),
      },
      system: { events: (options: { signal?: AbortSignal }) => this.#events(power, options.signal) },
    };
    // The agent and the apps use no more of an engine than this.
    return engine as unknown as Engine;
  }

  #create(spec: ContainerSpec): { id: string; warnings: string[] } {
    const name = spec.name ?? `hook-${this.#count}`;
    if ([...this.containers.values()].some(other => other.name === name)) {
      throw new BerthError("already_exists", `container name ${name} is taken`);
    }
    if (!this.images.has(spec.image)) throw new BerthError("not_found", `no image ${spec.image}`);
    for (const { network } of spec.endpoints ?? []) {
      if (!this.networks.has(network)) throw new BerthError("not_found", `no network ${network}`);
    }
    const id = `c${String(++this.#count).padStart(6, "0")}`;
    const state = {
      status: "created" as const,
      pid: 0,
      exitCode: 0,
      oomKilled: false,
      error: "",
      restartCount: 0,
      stoppedByUser: false,
    };
    // The fields that nobody reads here are left out.
    const container = {
      id,
      name,
      createdAt: this.#now(),
      spec: { ...spec, name },
      ...(this.behaviours[spec.image]?.health ? { healthCheck: { test: ["CMD", "true"] } } : {}),
      state,
      endpoints: [],
      publishedPorts: [],
      mounts: [],
    } as unknown as Container;
    this.containers.set(id, container);
    this.journal.push(`create ${name}`);
    this.#emit("create", container);
    return { id, warnings: [] };
  }

  #start(reference: string): void {
    const container = this.#get(reference);
    if (container.state.status === "running") throw new BerthError("unchanged", `${container.name} runs`);
    const behaviour = this.#behaviour(container);
    if (behaviour.startError !== undefined)
      throw new BerthError("conflict", behaviour.startError, { details: { exitCode: 127 } });
    this.#checkAlone(container);
    const startedAt = `${this.#now()}#${this.journal.length}`;
    const health = behaviour.health && { status: "starting" as const, failingStreak: 0, log: [] };
    container.state = { ...container.state, status: "running", startedAt, exitCode: 0, stoppedByUser: false, health };
    this.journal.push(`start ${container.name}`);
    this.#publish(container, container.spec.ports);
    this.#emit("start", container);
    this.#schedule(container, startedAt, behaviour);
  }

  #schedule(container: Container, startedAt: string, { exits, health }: Behaviour): void {
    const { clock } = this.#options;
    const same = () => this.containers.get(container.id)?.state.startedAt === startedAt;
    if (exits) clock.after(exits.after_ms, () => same() && this.exit(container.id, exits.code));
    if (health)
      clock.after(health.after_ms, () => same() && this.setHealth(container.id, health.status, health.output));
  }

  /** One running task a slot, whatever crashed when. */
  #checkAlone(container: Container): void {
    const slotOf = ({ spec: { labels } }: Container) =>
      `${labels["io.berth.app"]}/${labels["io.berth.service"]}/${labels["io.berth.slot"]}`;
    if (container.spec.labels["io.berth.hook"] !== undefined) return;
    const slot = slotOf(container);
    const others = this.running().filter(other => other !== container && slotOf(other) === slot);
    if (others.length > 0 && !this.#options.twoAtOnce?.has(slot.slice(0, slot.lastIndexOf("/")))) {
      this.violations.push(`${container.name} started while ${others[0]!.name} of the same slot ran`);
    }
  }

  async #stop(reference: string): Promise<void> {
    const container = this.#get(reference);
    if (container.state.status !== "running") throw new BerthError("unchanged", `${container.name} does not run`);
    container.state = {
      ...container.state,
      status: "exited",
      exitCode: 143,
      stoppedByUser: true,
      finishedAt: this.#now(),
    };
    container.publishedPorts = [];
    this.journal.push(`stop ${container.name}`);
    this.#emit("die", container);
  }

  #remove(reference: string, { volumes }: { volumes?: boolean }): void {
    const container = this.#get(reference);
    if (container.state.status === "running") this.exit(container.id, 137);
    this.containers.delete(container.id);
    this.journal.push(`remove ${container.name}${volumes ? " with volumes" : ""}`);
    this.#emit("destroy", container);
  }

  #publish(container: Container, ports: PortSpec[]): void {
    container.spec = { ...container.spec, ports };
    if (container.state.status !== "running") return;
    const before = container.publishedPorts.length;
    container.publishedPorts = ports.map(({ containerPort, hostPort = 0, protocol, shared }) => ({
      containerPort,
      hostPort,
      protocol,
      hostAddress: "0.0.0.0",
      ...(shared === undefined ? {} : { shared }),
    }));
    if (ports.length > before) this.journal.push(`publish ${container.name}`);
    if (ports.length < before) this.journal.push(`unpublish ${container.name}`);
  }

  #rename(reference: string, name: string): void {
    const container = this.#get(reference);
    if ([...this.containers.values()].some(other => other.name === name)) {
      throw new BerthError("already_exists", `container name ${name} is taken`);
    }
    container.name = name;
  }

  #setPaused(reference: string, paused: boolean): void {
    const container = this.#get(reference);
    container.state = { ...container.state, status: paused ? "paused" : "running" };
    this.#emit(paused ? "pause" : "unpause", container);
  }

  #get(reference: string): Container {
    const container =
      this.containers.get(reference) ?? [...this.containers.values()].find(({ name }) => name === reference);
    return found(container, "container", reference);
  }

  #list(labels: string[]): ContainerSummary[] {
    const matches = (container: Container) =>
      labels.every(label => {
        const [key, value] = label.split("=", 2) as [string, string | undefined];
        const is = container.spec.labels[key];
        return value === undefined ? is !== undefined : is === value;
      });
    // A summary has what the agent reads: id, name, labels, state.
    return [...this.containers.values()]
      .filter(matches)
      .map(({ id, name, spec, state }) => ({ id, name, labels: spec.labels, state })) as unknown as ContainerSummary[];
  }

  #createNetwork(spec: NetworkSpec): Network {
    if (this.networks.has(spec.name)) throw new BerthError("already_exists", `network ${spec.name} exists`);
    const network: Network = {
      ...spec,
      id: spec.name,
      createdAt: this.#now(),
      pools: [],
      interfaceName: "",
      builtin: false,
    };
    this.networks.set(spec.name, network);
    return network;
  }

  #removeNetwork(name: string): void {
    found(this.networks.get(name), "network", name);
    const user = [...this.containers.values()].find(({ spec }) =>
      spec.endpoints?.some(({ network }) => network === name),
    );
    if (user) throw new BerthError("in_use", `network ${name} is used by container ${user.name}`);
    this.networks.delete(name);
  }

  #createVolume(spec: VolumeSpec): Volume {
    const known = this.volumes.get(spec.name);
    if (known) return known;
    const volume: Volume = { ...spec, createdAt: this.#now(), mountpoint: `/volumes/${spec.name}`, anonymous: false };
    this.volumes.set(spec.name, volume);
    return volume;
  }

  #removeVolume(name: string): void {
    found(this.volumes.get(name), "volume", name);
    const user = [...this.containers.values()].find(({ spec }) => spec.mounts.some(({ source }) => source === name));
    if (user) throw new BerthError("in_use", `volume ${name} is used by container ${user.name}`);
    this.volumes.delete(name);
  }

  async *#events(power: Power, signal: AbortSignal | undefined): AsyncGenerator<EngineEvent> {
    const queue: EngineEvent[] = [];
    let wake = () => {};
    const subscriber = (event: EngineEvent) => {
      queue.push(event);
      wake();
    };
    this.#subscribers.add(subscriber);
    signal?.addEventListener("abort", () => wake());
    try {
      while (!signal?.aborted) {
        const event = queue.shift();
        if (event) yield await power.read(() => event);
        else {
          await new Promise<void>(resolve => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.#subscribers.delete(subscriber);
    }
  }

  #emit(action: string, container: Container): void {
    const event: EngineEvent = {
      type: "container",
      action,
      id: container.id,
      attributes: container.spec.labels,
      time_ms: this.#options.clock.now_ms(),
    };
    for (const subscriber of this.#subscribers) subscriber(event);
  }

  #behaviour({ spec }: Container): Behaviour {
    return this.behaviours[spec.image] ?? {};
  }

  #now(): string {
    return new Date(this.#options.clock.now_ms()).toISOString();
  }
}

function found<T>(value: T | undefined, kind: string, name: string): T {
  if (value === undefined) throw new BerthError("not_found", `no ${kind} ${name}`);
  return value;
}
