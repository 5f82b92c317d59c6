import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { asBerthError, BerthError, isCode } from "../../base/errors.ts";
import type { EngineContext } from "../context.ts";
import { effectiveHealthCheck } from "../health-transition.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { restartIfDue } from "../lifecycle/restart-if-due.ts";
import { rotateContainerLog } from "../lifecycle/rotate-container-log.ts";
import { settle } from "../lifecycle/settle.ts";
import { startsAtBoot } from "../restart-decision.ts";
import { DirectoryWatch } from "../state/directory-watch.ts";
import type { ContainerConfig } from "../state/record.ts";
import { checkSystem } from "../system/check-system.ts";
import { bootOrder } from "./boot-order.ts";
import { watchHealth } from "./watch-health.ts";

/** How often running containers are looked at: size of their log, and the ends that nobody announces. */
const round_ms = 1_000;
const lockWait_ms = 3_000;

export interface SuperviseOptions {
  signal: AbortSignal;
  /** Start what is to run after a host's boot. Default: when this is the first supervisor since the boot. */
  boot?: boolean;
  onReady?: () => void;
}

/** What berthd does for the containers of its host. It knows nothing that is not on disk: killed and started again it goes on where it was. */
export class Supervisor {
  readonly #context: EngineContext;
  readonly #signal: AbortSignal;
  readonly #timers = new Map<string, () => void>();
  /** Runs whose health is watched, by container. */
  readonly #health = new Map<string, AbortController>();
  readonly #busy = new Set<string>();
  readonly #tasks = new Set<Promise<void>>();

  constructor(context: EngineContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  async run({ boot, onReady }: SuperviseOptions): Promise<void> {
    const { locks, paths, runtime, clock } = this.#context;
    await using _lock = await locks.acquire(paths.supervisorLock, { timeout_ms: lockWait_ms }).catch(thrown => {
      if (!isCode(thrown, "timeout")) throw thrown;
      throw new BerthError("conflict", `another berthd looks after ${paths.root} already`, { cause: thrown });
    });
    this.#context.onPendingRestart = (id, at_ms) => this.#schedule(id, at_ms);
    using watch = new DirectoryWatch(clock, [runtime.exitsDirectory]);
    try {
      await this.#begin(boot ?? this.#isFirstSinceBoot());
      onReady?.();
      this.#track(this.#followStarts());
      while (!this.#signal.aborted) {
        for (const name of readdirSync(runtime.exitsDirectory)) this.#finish(name);
        await this.#round();
        await watch.next({ signal: this.#signal, timeout_ms: round_ms }).catch(() => undefined);
      }
    } finally {
      this.#context.onPendingRestart = undefined;
      for (const cancel of this.#timers.values()) cancel();
      for (const health of this.#health.values()) health.abort();
      await Promise.allSettled(this.#tasks);
    }
  }

  /** Everything on disk gets into a true state, and under watch. */
  async #begin(boot: boolean): Promise<void> {
    const { networks, store } = this.#context;
    // One network that cannot be brought up must not keep the others' containers from being watched.
    await networks.restore().catch(thrown => this.#complain("networks could not all be brought up", thrown));
    const report = await checkSystem(this.#context, { repair: true }).catch(thrown => {
      this.#complain("the check at the start was not finished", thrown);
      return { findings: [], repaired: [] };
    });
    for (const sentence of report.repaired) this.#context.logger.log("info", `repaired: ${sentence}`);
    for (const sentence of report.findings) this.#context.logger.log("warn", sentence);
    const due: ContainerConfig[] = [];
    for (const id of store.ids()) {
      const config = store.tryConfig(id);
      if (config === undefined) continue;
      const state = store.state(id);
      if (isRunning(look(this.#context, id))) this.#watchHealth(config);
      else if (state.restart !== undefined) due.push(config);
      else if (boot && startsAtBoot(config.spec.restart, { ...state, ran: state.startedAt !== undefined })) {
        store.writeState(id, { ...state, restart: { at_ms: this.#context.clock.now_ms(), delay_ms: 0 } });
        due.push(config);
      }
    }
    for (const { id } of bootOrder(due)) this.#schedule(id, store.state(id).restart?.at_ms ?? 0);
  }

  #complain(what: string, thrown: unknown): void {
    const { message, hint } = asBerthError(thrown);
    this.#context.logger.log("error", `${what}: ${message}`, { hint });
  }

  #isFirstSinceBoot(): boolean {
    const { paths, bootId } = this.#context;
    let known = "";
    try {
      known = readFileSync(paths.bootId, "utf8");
    } catch {
      // The directory is new: the host has just come up, or Berth was just installed.
    }
    writeFileSync(paths.bootId, bootId);
    return known !== bootId;
  }

  /** Containers that other processes start need their health watched too. */
  async #followStarts(): Promise<void> {
    const filters = { type: ["container"], event: ["start"] };
    try {
      for await (const event of this.#context.events.read({ filters, signal: this.#signal })) {
        const config = this.#context.store.tryConfig(event.id);
        if (config) this.#watchHealth(config);
      }
    } catch (thrown) {
      if (!this.#signal.aborted) throw thrown;
    }
  }

  /** `name` is that of an exit record: a container's, or an exec's. */
  #finish(name: string): void {
    if (this.#busy.has(name) || !this.#context.store.exists(name)) return;
    this.#busy.add(name);
    this.#track(this.#settle(name).finally(() => this.#busy.delete(name)));
  }

  async #settle(id: string): Promise<void> {
    try {
      await using _lock = await this.#context.store.lock(id, { signal: this.#signal });
      await settle(this.#context, id);
    } catch (thrown) {
      if (isCode(thrown, "not_found") || this.#signal.aborted) return;
      this.#context.logger.log("error", `finishing the exit of container ${id.slice(0, 12)} failed`, {
        error: String(thrown),
      });
    }
  }

  #schedule(id: string, at_ms: number): void {
    this.#timers.get(id)?.();
    const cancel = this.#context.clock.after(Math.max(0, at_ms - this.#context.clock.now_ms()), () => {
      this.#timers.delete(id);
      this.#track(this.#restart(id));
    });
    this.#timers.set(id, cancel);
  }

  async #restart(id: string): Promise<void> {
    try {
      await restartIfDue(this.#context, id, { signal: this.#signal });
    } catch (thrown) {
      if (!isCode(thrown, "not_found") && !this.#signal.aborted) throw thrown;
    }
  }

  /** What no notice is given of. */
  async #round(): Promise<void> {
    const { store } = this.#context;
    for (const id of store.ids()) {
      const seen = look(this.#context, id);
      if (seen.observed.kind === "lost") this.#finish(id);
      if (seen.observed.kind !== "running") continue;
      const config = store.tryConfig(id);
      if (config) await rotateContainerLog(this.#context, config);
    }
  }

  #watchHealth(config: ContainerConfig): void {
    if (effectiveHealthCheck(config.process.healthCheck) === undefined) return;
    this.#health.get(config.id)?.abort();
    const stop = new AbortController();
    this.#health.set(config.id, stop);
    const watching = watchHealth(this.#context, config, AbortSignal.any([stop.signal, this.#signal]));
    this.#track(
      watching.finally(() => {
        if (this.#health.get(config.id) === stop) this.#health.delete(config.id);
      }),
    );
  }

  /** Waited for at the end; failures are told, since nobody else would hear of them. */
  #track(task: Promise<void>): void {
    const tracked = task.catch(thrown => {
      if (this.#signal.aborted || (thrown as Error).name === "AbortError") return;
      this.#context.logger.log("error", "looking after containers failed", { error: String(thrown) });
    });
    this.#tasks.add(tracked);
    void tracked.finally(() => this.#tasks.delete(tracked));
  }
}
