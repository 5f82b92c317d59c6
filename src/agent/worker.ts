import { asBerthError, isCode } from "../base/errors.ts";
import type { Container } from "../model/container.ts";
import { containerName } from "../model/names.ts";
import { advance, hasEnded, stateRank, type Task, type TaskStatus, wantedRank } from "../model/task.ts";
import type { AgentContext } from "./context.ts";
import { hasGrants } from "./file-delivery.ts";
import { runBefore, runInside } from "./hooks.ts";
import { runHostHooks } from "./host-hooks.ts";
import { taskLabel } from "./labels.ts";
import { ended, hasExited, ignoreOver, isRunning, observed } from "./observe.ts";
import {
  anonymousVolumes,
  definitionOf,
  ensureContainer,
  findContainer,
  inheritedVolumes,
  inspectIfThere,
  isMadeLate,
  prepareResources,
} from "./prepare.ts";
import { resourceRetry_ms } from "./resources.ts";
import { SharedPorts } from "./shared-ports.ts";

/** While a task is not healthy, how often the newest probe is looked at. */
const healthRefresh_ms = 2000;

/**
 * Brings one task to what is wanted of it, a step at a time, and reports what it sees. Every step can be taken again after a crash: it looks first at what is
 * there. Only one step runs at a time; giving the task up interrupts it.
 */
export class TaskWorker {
  task: Task;
  status: TaskStatus;
  /** Id of its container, once known. */
  container: string | undefined;
  readonly #context: AgentContext;
  #busy = false;
  #again = false;
  #operation = new AbortController();
  /** The step under way may be interrupted. */
  #interruptible = false;
  #cancelRefresh: () => void = () => {};

  constructor(context: AgentContext, task: Task, status: TaskStatus | undefined, found: string | undefined) {
    this.#context = context;
    this.task = task;
    this.status = status ?? { id: task.id, state: "accepted", message: "", at_ms: context.clock.now_ms(), life: [] };
    this.container = found ?? this.status.containerId ?? task.container;
  }

  /** The server's newest word. `kick` is to follow. */
  update(task: Task): void {
    this.task = task;
    if (wantedRank(task.wanted) >= wantedRank("shutdown")) this.#operation.abort();
  }

  /** Has a look whether there is something to do. */
  kick(): void {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#context.signal.aborted) {
        this.#again = false;
        this.#interruptible = false;
        try {
          await this.#step();
        } catch (thrown) {
          await this.#failed(thrown);
        }
      }
    } catch (thrown) {
      // A mistake of Berth's own: this task is left as it is, the others go on.
      this.#context.logger.log("error", asBerthError(thrown).message, { task: this.task.id });
    } finally {
      // In the same turn as the last look at #again: a kick is never lost between the two.
      this.#busy = false;
    }
  }

  async #step(): Promise<void> {
    const { state } = this.status;
    if (state === "removed" || state === "orphaned") return;
    if (hasEnded(state)) {
      if (this.task.wanted === "removed") await this.#remove();
    } else if (wantedRank(this.task.wanted) >= wantedRank("shutdown")) await this.#stop();
    else if (stateRank(state) < stateRank("ready")) await this.#prepare();
    else if (state === "ready" && this.task.wanted === "running") await this.#start();
    else if (state === "starting") await this.#resumeStart();
    else if (state === "running") await this.#watch();
  }

  async #prepare(): Promise<void> {
    const { limiter, clock } = this.#context;
    const signal = this.#begin();
    const say = (message: string) => void this.#set({ state: "preparing", message });
    if (this.status.state !== "preparing") say("making ready");
    await this.#inherit();
    try {
      const container = await limiter.run(async () => {
        signal.throwIfAborted();
        await prepareResources(this.#context, this.task, signal, say);
        return this.#existing(signal);
      });
      this.container = container?.id;
      await this.#set({
        state: "ready",
        message: "",
        ...(container ? { containerId: container.id, containerName: container.name } : {}),
      });
      this.#again = true;
      this.#context.nudgeSlot(this.task);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const error = asBerthError(thrown);
      if (error.code !== "unavailable") throw thrown;
      // What it needs is on its way, or still held by tasks that are going.
      say(error.message);
      await clock.sleep(resourceRetry_ms, { signal });
      this.#again = true;
    }
  }

  /** Once it is durable what is taken over, the container before may go: it can be in the way of a network that is made anew. */
  async #inherit(): Promise<void> {
    if (this.task.inherits === undefined || this.status.inherited !== undefined) return;
    await this.#set({ inherited: await inheritedVolumes(this.#context, this.task) });
    this.#context.nudgeSlot(this.task);
  }

  /** The container to start: one to be started again, one from before a crash, or a new one; none yet where another service must run first. */
  async #existing(signal: AbortSignal): Promise<Container | undefined> {
    const known = this.container === undefined ? undefined : await inspectIfThere(this.#context, this.container);
    if (known) return known;
    if (isMadeLate(definitionOf(this.#context, this.task).service) && this.status.state !== "starting")
      return undefined;
    return ensureContainer(this.#context, this.task, this.status.inherited ?? {}, signal);
  }

  async #start(): Promise<void> {
    const before = this.container === undefined ? undefined : await inspectIfThere(this.#context, this.container);
    // Durable before anything runs: whoever comes after a crash must know that it may.
    await this.#set({
      state: "starting",
      message: "",
      startedBefore: before?.state.startedAt,
      bootId: this.#context.bootId,
    });
    await this.#resumeStart(before);
  }

  /** `known` is the container as it is now, where the caller has just looked. */
  async #resumeStart(known?: Container): Promise<void> {
    const { engine, limiter } = this.#context;
    const signal = this.#begin();
    const found =
      known ?? (this.container === undefined ? undefined : await inspectIfThere(this.#context, this.container));
    const ran = found?.state.startedAt !== undefined && found.state.startedAt !== this.status.startedBefore;
    if (found && ran) return this.#began(found, signal);
    await limiter.run(async () => {
      signal.throwIfAborted();
      const container = found ?? (await this.#existing(signal))!;
      this.container = container.id;
      await this.#beforeStart(container, signal);
      await this.#takeName(container);
      try {
        await engine.containers.start(container.id, { signal });
      } catch (thrown) {
        if (!isCode(thrown, "unchanged")) throw thrown;
      }
    });
    const started = await inspectIfThere(this.#context, this.container!);
    if (started) await this.#began(started, signal);
  }

  async #beforeStart(container: Container, signal: AbortSignal): Promise<void> {
    const { engine, files, link, host } = this.#context;
    const { service } = definitionOf(this.#context, this.task);
    const owner = container.spec.labels[taskLabel];
    // Their tmpfs may be a new one since the container was made.
    if (hasGrants(service) && owner) files.write(owner, service, await link.files(host, this.task.id, { signal }));
    await runHostHooks(this.#context, service.hostHooks?.beforeStart ?? [], this.task, container.id, signal);
    for (const hook of service.preStart) {
      if (hook.perReplica === false && this.task.number !== 1) continue;
      await this.#set({ message: `running pre_start hook: ${hook.command.join(" ")}` });
      await runBefore(engine, container.spec, hook, signal);
    }
    await this.#ports().prepare(container);
  }

  /** It runs, or ran. */
  async #began(container: Container, signal: AbortSignal): Promise<void> {
    if (isRunning(container.state)) {
      const { service } = definitionOf(this.#context, this.task);
      for (const hook of service.postStart) await runInside(this.#context.engine, container.id, hook, signal);
    }
    const serving = await this.#ports().join(container);
    await this.#set({ ...observed(serving), state: "running", message: "" });
    const { health } = serving.state;
    this.#again ||= !isRunning(container.state) || (this.task.paused ?? false) || (health?.status ?? "none") !== "none";
  }

  async #watch(): Promise<void> {
    const { engine, bootId } = this.#context;
    const container = this.container === undefined ? undefined : await inspectIfThere(this.#context, this.container);
    if (!container) {
      await this.#set({ state: "failed", message: "its container was removed by somebody else", health: undefined });
      return;
    }
    if (!isRunning(container.state)) {
      if (!hasExited(container.state)) return;
      await this.#afterStop(container);
      const lost = this.status.bootId !== bootId;
      const how = lost
        ? { state: "failed" as const, message: "its host restarted", hostLost: true }
        : ended(container.state);
      await this.#set({
        ...observed(container),
        health: undefined,
        ...how,
        ...(container.state.stoppedByUser && !lost ? { stoppedByUser: true } : {}),
      });
      this.#again = true;
      return;
    }
    await this.#takeName(container);
    const paused = container.state.status === "paused";
    if (paused !== (this.task.paused ?? false)) {
      await (paused ? engine.containers.unpause(container.id) : engine.containers.pause(container.id));
      this.#again = true;
    }
    // Who hears that it is healthy may count on it.
    const serving = await this.#ports().join(container);
    await this.#set({ ...observed(serving), message: "" });
    this.#cancelRefresh();
    const health = container.state.health?.status;
    if (health === "starting" || health === "unhealthy") {
      this.#cancelRefresh = this.#context.clock.after(healthRefresh_ms, () => this.kick());
    }
  }

  async #stop(): Promise<void> {
    const { engine, clock } = this.#context;
    this.#cancelRefresh();
    this.container ??= await findContainer(this.#context, this.task);
    const container = this.container === undefined ? undefined : await inspectIfThere(this.#context, this.container);
    // Before `starting`, what runs in the container is the task before this one.
    const own = stateRank(this.status.state) >= stateRank("starting");
    if (own && container && isRunning(container.state)) {
      const { service } = definitionOf(this.#context, this.task);
      await this.#set({ message: "stopping" });
      await this.#ports().leave(container);
      await this.#beforeStop(container);
      if (container.state.status === "paused") await engine.containers.unpause(container.id);
      const timeout_ms = this.task.stopTimeout_ms ?? service.stopGracePeriod_ms;
      await engine.containers.stop(container.id, timeout_ms === undefined ? {} : { timeout_ms }).catch(ignoreOver);
      await this.#afterStop(container);
    }
    if (this.task.wanted === "removed") return this.#remove();
    const last = container && own ? await inspectIfThere(this.#context, container.id) : undefined;
    if (last) await this.#ports().restore(last);
    const exitCode = last && hasExited(last.state) ? last.state.exitCode : undefined;
    const finishedAt = last?.state.finishedAt ?? new Date(clock.now_ms()).toISOString();
    await this.#set({ state: "shutdown", message: this.task.wantedCause, exitCode, finishedAt, health: undefined });
  }

  /** A failing pre_stop hook does not keep a container that is to stop. */
  async #beforeStop(container: Container): Promise<void> {
    const { service } = definitionOf(this.#context, this.task);
    for (const hook of service.preStop) {
      await runInside(this.#context.engine, container.id, hook, this.#context.signal).catch(thrown => {
        this.#context.signal.throwIfAborted();
        return this.#set({ message: `stopping; ${asBerthError(thrown).message}` });
      });
    }
  }

  /** Neither does a failing host hook keep what has stopped. */
  async #afterStop(container: Container): Promise<void> {
    const { service } = definitionOf(this.#context, this.task);
    await runHostHooks(this.#context, service.hostHooks?.afterStop ?? [], this.task, container.id).catch(thrown => {
      this.#context.signal.throwIfAborted();
      this.#context.logger.log("error", asBerthError(thrown).message, { task: this.task.id });
    });
  }

  async #remove(): Promise<void> {
    const { engine, files } = this.#context;
    this.container ??= await findContainer(this.#context, this.task);
    const container = this.container === undefined ? undefined : await inspectIfThere(this.#context, this.container);
    if (container && this.#context.isClaimed(container.id, this.task) === "inherits") return;
    if (container && !this.#context.isClaimed(container.id, this.task)) {
      const owner = container.spec.labels[taskLabel];
      await engine.containers
        .remove(container.id, { force: true, volumes: this.task.removeVolumes ?? false })
        .catch(ignoreOver);
      if (owner) files.remove(owner);
      if (this.task.removeVolumes) await removeAnonymousVolumes(this.#context, container);
    }
    await this.#set({ state: "removed", message: this.task.wantedCause, health: undefined });
    this.#context.nudgeSlot(this.task);
  }

  /** The name is free once the task before it is gone. */
  async #takeName(container: Container): Promise<void> {
    const { service } = definitionOf(this.#context, this.task);
    const name = service.containerName ?? containerName(this.task.app, this.task.service, this.task.number);
    if (container.name === name) return;
    await this.#context.engine.containers.rename(container.id, name).catch(thrown => {
      if (!isCode(thrown, "already_exists", "conflict")) throw thrown;
    });
  }

  #ports(): SharedPorts {
    return new SharedPorts(this.#context, this.task, definitionOf(this.#context, this.task).service);
  }

  #begin(): AbortSignal {
    this.#interruptible = true;
    this.#operation = new AbortController();
    if (wantedRank(this.task.wanted) >= wantedRank("shutdown")) this.#operation.abort();
    return AbortSignal.any([this.#operation.signal, this.#context.signal]);
  }

  /** A step threw: interrupted ones are followed by the next, others end the task. */
  async #failed(thrown: unknown): Promise<void> {
    if (this.#context.signal.aborted) return;
    if (this.#interruptible && this.#operation.signal.aborted) {
      this.#again = true;
      return;
    }
    const error = asBerthError(thrown);
    const message = error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
    if (hasEnded(this.status.state) || wantedRank(this.task.wanted) >= wantedRank("shutdown")) {
      // Stopping or removing failed: it is tried again, since nothing else can be done with it.
      this.#context.logger.log("error", message, { task: this.task.id });
      await this.#set({ message }).catch(() => undefined);
      this.#context.clock.after(healthRefresh_ms, () => this.kick());
      return;
    }
    const started = stateRank(this.status.state) >= stateRank("starting");
    const exitCode = error.details?.["exitCode"];
    await this.#set({
      state: started ? "failed" : "rejected",
      message,
      ...(typeof exitCode === "number" ? { exitCode } : {}),
    }).catch(() => undefined);
    this.#again = this.task.wanted === "removed";
  }

  #set(change: Partial<TaskStatus>): Promise<void> {
    const next = advance(this.status, { ...change, at_ms: this.#context.clock.now_ms() });
    const same = JSON.stringify({ ...next, at_ms: 0 }) === JSON.stringify({ ...this.status, at_ms: 0 });
    if (same) return Promise.resolve();
    this.status = next;
    const reported = this.#context.reporter.task(next);
    // Most callers go on without waiting; the reporter itself tries again until the agent ends.
    reported.catch(() => undefined);
    return reported;
  }
}

/** Those taken over from earlier containers, which the engine does not count as this one's. */
async function removeAnonymousVolumes({ engine }: AgentContext, container: Container): Promise<void> {
  for (const { name } of anonymousVolumes(container)) {
    await engine.volumes.remove(name).catch(thrown => {
      if (!isCode(thrown, "not_found", "in_use")) throw thrown;
    });
  }
}
