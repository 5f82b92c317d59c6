import type { Clock } from "../base/clock.ts";
import { asBerthError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { AppVersion } from "../model/app-record.ts";
import type { HostFacts } from "../model/host.ts";
import { hasEnded, type Task } from "../model/task.ts";
import type { Engine } from "../ports/engine.ts";
import type { Assignment, AssignmentBatch, HostLink } from "../wire/host-link.ts";
import type { AgentContext, Claim, HostHookRunner } from "./context.ts";
import { FileDelivery } from "./file-delivery.ts";
import { hookLabel, taskLabel } from "./labels.ts";
import { Limiter } from "./limiter.ts";
import { Reporter } from "./reporter.ts";
import { Resources } from "./resources.ts";
import { TaskWorker } from "./worker.ts";

export interface AgentParts {
  engine: Engine;
  link: HostLink;
  facts: HostFacts;
  clock: Clock;
  logger: Logger;
  /** A directory in memory, of root alone: secrets are written there. */
  filesRoot: string;
  /** Absent: host hooks are refused. */
  hostHooks?: HostHookRunner;
  /** Tasks prepared or started at once. */
  parallelism?: number;
}

/** Events after which a task may not be what it was. */
const telling = /^(die|oom|destroy|pause|unpause|rename|health_status.*)$/;
const reconnectDelay_ms = 1000;

/** The part of Berth on a host: takes assignments, brings tasks to what is wanted, reports what it sees. Aborting it leaves every container as it is. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #workers = new Map<string, TaskWorker>();
  readonly #versions = new Map<string, AppVersion>();

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /** Until aborted. */
  async run({ signal, onReady = () => {} }: { signal: AbortSignal; onReady?: () => void }): Promise<void> {
    const { link, facts, clock, logger } = this.#parts;
    const { host } = await link.register(facts, { signal });
    const context = this.#context(host, signal);
    const watching = this.#watchEngine(signal);
    await this.#dropHooks();
    const found = await this.#findContainers();
    for (let first = true; !signal.aborted; first = false) {
      try {
        for await (const batch of link.assignments(host, { signal })) {
          this.#take(context, batch, found);
          if (batch.complete && first) onReady();
        }
      } catch (thrown) {
        if (signal.aborted) break;
        logger.log("error", `taking assignments: ${asBerthError(thrown).message}`);
        await clock.sleep(reconnectDelay_ms, { signal }).catch(() => undefined);
      }
    }
    await watching;
  }

  #context(host: string, signal: AbortSignal): AgentContext {
    const { engine, link, facts, clock, logger, filesRoot, hostHooks, parallelism = 16 } = this.#parts;
    const reporter = new Reporter({ link, host, clock, logger, signal });
    return {
      engine,
      link,
      host,
      bootId: facts.bootId,
      clock,
      logger,
      reporter,
      resources: new Resources({ engine, clock, reporter, signal }),
      files: new FileDelivery(filesRoot),
      limiter: new Limiter(parallelism),
      hostHooks,
      signal,
      version: task => this.#versions.get(`${task.app}/${task.version}`),
      isClaimed: (container, by) => this.#claim(container, by),
      isKnown: ({ id, spec }) =>
        this.#workers.has(spec.labels[taskLabel] ?? "") ||
        [...this.#workers.values()].some(worker => worker.container === id),
      hasPeer: task => this.#hasPeer(task),
      nudgeSlot: task => this.#nudgeSlot(task),
    };
  }

  #take(context: AgentContext, batch: AssignmentBatch, found: Map<string, string>): void {
    for (const version of batch.versions) this.#versions.set(`${version.app.name}/${version.number}`, version);
    context.resources.update(batch);
    if (batch.complete) {
      const named = new Set(batch.tasks.map(({ task }) => task.id));
      for (const id of this.#workers.keys()) if (!named.has(id)) this.#workers.delete(id);
    }
    // All are known before the first acts: what one may remove depends on what others claim.
    const workers = batch.tasks.map(assignment => this.#workerOf(context, assignment, found));
    for (const id of batch.forgotten) this.#workers.delete(id);
    for (const worker of workers) worker.kick();
    this.#forgetVersions();
  }

  #workerOf(context: AgentContext, { task, status }: Assignment, found: Map<string, string>): TaskWorker {
    const known = this.#workers.get(task.id);
    if (known) {
      known.update(task);
      return known;
    }
    const worker = new TaskWorker(context, task, status, found.get(task.id));
    this.#workers.set(task.id, worker);
    return worker;
  }

  #forgetVersions(): void {
    if (this.#versions.size < 64) return;
    const used = new Set([...this.#workers.values()].map(({ task }) => `${task.app}/${task.version}`));
    for (const key of this.#versions.keys()) if (!used.has(key)) this.#versions.delete(key);
  }

  #claim(container: string, by: Task): Claim {
    for (const { task, status } of this.#workers.values()) {
      if (task.id === by.id || task.app !== by.app || task.service !== by.service) continue;
      if (status.state === "removed") continue;
      if (task.container === container) return "starts";
      if (task.inherits === container && status.inherited === undefined && !hasEnded(status.state)) return "inherits";
    }
    return undefined;
  }

  #hasPeer({ id, app, service }: Task): boolean {
    return [...this.#workers.values()].some(
      ({ task, status }) =>
        task.id !== id &&
        task.app === app &&
        task.service === service &&
        task.wanted === "running" &&
        status.state === "running",
    );
  }

  #nudgeSlot({ id, app, service, slot }: Task): void {
    for (const worker of this.#workers.values()) {
      const { task } = worker;
      if (task.id !== id && task.app === app && task.service === service && task.slot === slot) worker.kick();
    }
  }

  /** An event about a container has its worker look. After a gap in the events all look. */
  async #watchEngine(signal: AbortSignal): Promise<void> {
    const { engine, clock, logger } = this.#parts;
    while (!signal.aborted) {
      try {
        for await (const event of engine.system.events({ signal, filters: { type: ["container"] } })) {
          if (!telling.test(event.action)) continue;
          for (const worker of this.#workers.values()) {
            if (worker.container === event.id && !hasEnded(worker.status.state)) worker.kick();
          }
        }
      } catch (thrown) {
        if (signal.aborted) return;
        logger.log("error", `watching the engine's events: ${asBerthError(thrown).message}`);
      }
      if (signal.aborted) return;
      await clock.sleep(reconnectDelay_ms, { signal }).catch(() => undefined);
      for (const worker of this.#workers.values()) worker.kick();
    }
  }

  /** Containers by the task that they were made for. */
  async #findContainers(): Promise<Map<string, string>> {
    const list = await this.#parts.engine.containers.list({ all: true, filters: { label: [taskLabel] } });
    return new Map(list.map(({ id, labels }) => [labels[taskLabel]!, id]));
  }

  /** A hook's container that a crash left behind: the hook is run again where it is still needed. */
  async #dropHooks(): Promise<void> {
    const { containers } = this.#parts.engine;
    for (const { id } of await containers.list({ all: true, filters: { label: [hookLabel] } })) {
      await containers.remove(id, { force: true, volumes: true });
    }
  }
}
