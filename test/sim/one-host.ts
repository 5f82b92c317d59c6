import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "../../src/agent/agent.ts";
import { silentLogger } from "../../src/base/log.ts";
import { Apps } from "../../src/control/apps/apps.ts";
import { ControlPlane } from "../../src/control/control-plane.ts";
import { Keyring } from "../../src/control/files/keyring.ts";
import { SqliteStore } from "../../src/drivers/sqlite/store.ts";
import type { HostFacts } from "../../src/model/host.ts";
import type { AppEvent } from "../../src/ports/apps.ts";
import { SimulatedClock, settle } from "../../src/testing/clock.ts";
import { type Behaviour, EngineWorld } from "../../src/testing/engine.ts";
import { Power } from "../../src/testing/power.ts";
import { poweredStore } from "../../src/testing/powered-store.ts";
import { seededRandom } from "../../src/testing/random.ts";

export interface Followed {
  events: AppEvent[];
  done: boolean;
  error?: unknown;
}

/** berthd with one host under a simulated clock: control plane, agent and apps on the real store driver and a simulated engine. */
export class OneHost implements AsyncDisposable {
  readonly clock = new SimulatedClock();
  readonly random: () => number;
  readonly store: SqliteStore;
  readonly world: EngineWorld;
  readonly filesRoot = mkdtempSync(join(tmpdir(), "berth-sim-"));
  readonly #key = Buffer.alloc(32, 7);
  #boots = 0;
  #ids = 0;
  apps!: Apps;
  control!: ControlPlane;
  power = new Power();
  stop = new AbortController();
  /** The store's. */
  readonly disk = { full: false };
  /** Commands that were run on the host. Undefined: they are not allowed. */
  hostHooks: string[] | undefined;

  constructor(seed: number, options: { behaviours?: Record<string, Behaviour>; twoAtOnce?: Set<string> } = {}) {
    this.random = seededRandom(seed);
    this.store = new SqliteStore({ path: ":memory:", clock: this.clock, defer: queueMicrotask });
    this.world = new EngineWorld({ clock: this.clock, random: this.random, ...options });
  }

  /** Starts berthd; it dies at step `failAt` of its life (0: never). */
  async boot({ failAt = 0, reboot = false }: { failAt?: number; reboot?: boolean } = {}): Promise<void> {
    if (reboot || this.#boots === 0) this.#boots++;
    const power = new Power(failAt);
    const stop = new AbortController();
    this.power = power;
    this.stop = stop;
    const control = new ControlPlane({
      store: poweredStore(this.store, power, this.disk),
      keyring: new Keyring([this.#key]),
      clock: this.clock,
      logger: silentLogger,
      newId: () => `t${String(++this.#ids).padStart(5, "0")}`,
      random: this.random,
      hostHooks: this.hostHooks !== undefined,
    });
    const hooks = this.hostHooks;
    const engine = this.world.session(power);
    const agent = new Agent({
      engine,
      link: control.dispatcher,
      facts: { ...facts, bootId: `boot-${this.#boots}` },
      clock: this.clock,
      logger: silentLogger,
      filesRoot: this.filesRoot,
      hostHooks: hooks && {
        run: async ({ command }, { BERTH_SERVICE }) => void hooks.push(`${command.join(" ")} for ${BERTH_SERVICE}`),
      },
    });
    this.control = control;
    this.apps = new Apps({ control, engineOf: () => engine, user: "ann" });
    const fail = (thrown: unknown) => {
      if (!stop.signal.aborted) throw thrown;
    };
    const onReady = () => void agent.run({ signal: stop.signal }).catch(fail);
    void control.run({ signal: stop.signal, onReady }).catch(fail);
    await settle();
  }

  /** As kill -9. */
  kill(): void {
    this.power.cut();
  }

  /** Collects what an operation tells, while the caller drives time. */
  follow(events: AsyncIterable<AppEvent>): Followed {
    const followed: Followed = { events: [], done: false };
    const run = async () => {
      try {
        for await (const event of events) followed.events.push(event);
      } catch (thrown) {
        followed.error = thrown;
      }
      followed.done = true;
    };
    void run();
    return followed;
  }

  /** Lets time pass until the condition holds; throws when it does not within `limit_ms` of simulated time. */
  async until(condition: () => boolean, limit_ms = 120_000): Promise<void> {
    const end_ms = this.clock.now_ms() + limit_ms;
    await settle();
    while (!condition()) {
      const next_ms = this.clock.next_ms();
      if (next_ms === undefined || this.clock.now_ms() + next_ms > end_ms) {
        throw new Error(`not within ${limit_ms} ms; it is now:\n${this.picture()}`);
      }
      await this.clock.advance(next_ms);
    }
  }

  /** Follows an operation to its end, and throws what it throws. */
  async finish(events: AsyncIterable<AppEvent>, limit_ms = 120_000): Promise<AppEvent[]> {
    const followed = this.follow(events);
    await this.until(() => followed.done, limit_ms);
    if (followed.error) throw followed.error;
    return followed.events;
  }

  /** Names of running containers, sorted. */
  running(): string[] {
    return this.world
      .running()
      .map(({ name }) => name)
      .sort();
  }

  picture(): string {
    const { state } = this.control.mirror;
    const tasks = [...state.tasks.values()].map(task => {
      const status = state.statuses.get(task.id);
      return `${task.id} ${task.service}.${task.slot} wanted ${task.wanted} is ${status?.state} ${status?.message ?? ""} (${task.cause})`;
    });
    const containers = [...this.world.containers.values()].map(
      ({ id, name, state: { status } }) => `${id} ${name} ${status}`,
    );
    return [
      ...tasks,
      ...containers,
      JSON.stringify([...state.rollouts.values()]),
      JSON.stringify([...state.outcomes.values()]),
    ].join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    this.power.cut();
    await settle();
    await this.store[Symbol.asyncDispose]();
    rmSync(this.filesRoot, { recursive: true, force: true });
  }
}

const facts: HostFacts = {
  name: "one",
  os: "linux",
  operatingSystem: "Debian 12",
  kernel: "6.1",
  architecture: "amd64",
  cpus: 8,
  memory_bytes: 16 * 2 ** 30,
  engine: "simulated",
  engineVersion: "1",
  runtime: "none",
  storageDriver: "none",
  labels: {},
  resources: {},
  bootId: "",
};
