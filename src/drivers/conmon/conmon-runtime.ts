import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type {
  CreateInput,
  ExecInput,
  ExitRecord,
  MonitorTarget,
  RunningExec,
  Runtime,
  RuntimeInfo,
  RuntimeStreams,
} from "../../ports/runtime.ts";
import { LinuxCgroups } from "../cgroup/linux-cgroups.ts";
import { attachTo } from "./attach.ts";
import { chooseRuntime, type RuntimeChoice } from "./choose-runtime.ts";
import { tellReopenLog, tellSize } from "./control-pipe.ts";
import { execMonitored } from "./exec-monitored.ts";
import { execPiped } from "./exec-piped.ts";
import { dropExitRecord, execDirectory, readExitRecord, readMonitorPid } from "./exit-records.ts";
import { BundleLinks, cgroupPathOfBundle, endMakers } from "./half-made.ts";
import { createWithMonitor } from "./monitor.ts";
import type { MonitorContext } from "./monitor-arguments.ts";
import { runtimeError } from "./runtime-errors.ts";
import { type RuntimeName, runVerb } from "./runtime-program.ts";
import { isAlive, type RuntimeState, readRuntimeState } from "./runtime-state.ts";
import { signalProcess } from "./signal-process.ts";
import { openStartPipe } from "./start-pipe.ts";
import { updateArguments } from "./update-arguments.ts";

const reopenPoll_ms = 1;
const reopenPatience_ms = 10_000;

export interface ConmonRuntimeOptions {
  /** Of this engine alone, on a memory file system: what is in it is void after a reboot. */
  runDirectory: string;
  /** PATH, in which conmon and the runtimes are looked for, and which exit commands get. */
  searchPath: string;
  clock: Clock;
  /** Where the choice of a runtime is remembered; default: the run directory. */
  cacheDirectory?: string;
  /** Insists on one; default: the quickest that works. */
  runtime?: RuntimeName;
}

/**
 * Containers made by crun or runc, each held by a conmon of its own. Processes are started where one must be (create, exec, update); what the runtimes do beyond
 * that with files, signals and control groups is done right here, since a process costs more than all of it.
 */
export class ConmonRuntime implements Runtime {
  readonly exitsDirectory: string;
  readonly #options: ConmonRuntimeOptions;
  readonly #environment: Record<string, string>;
  readonly #root: string;
  readonly #execExitsDirectory: string;
  readonly #links: BundleLinks;
  readonly #cgroups: LinuxCgroups;
  #choice: Promise<RuntimeChoice> | undefined;

  constructor(options: ConmonRuntimeOptions) {
    this.#options = options;
    this.exitsDirectory = join(options.runDirectory, "exits");
    this.#root = join(options.runDirectory, "runtime");
    this.#execExitsDirectory = join(options.runDirectory, "exec-exits");
    this.#environment = { PATH: options.searchPath };
    this.#cgroups = new LinuxCgroups(options.clock);
    const links = join(options.runDirectory, "bundles");
    for (const directory of [this.exitsDirectory, this.#root, links]) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    }
    this.#links = new BundleLinks(links);
  }

  async info(): Promise<RuntimeInfo> {
    const { program, monitor, monitorVersion, reason } = await this.#chosen();
    return {
      name: program.name,
      path: program.path,
      version: program.version,
      monitor: `${monitor} ${monitorVersion}`,
      reason,
    };
  }

  async create(input: CreateInput, { signal }: CallOptions = {}): Promise<{ pid: number; monitorPid: number }> {
    const context = await this.#context();
    if (this.#links.find(input.id) !== undefined) await this.#clearAway(input.id, signal);
    this.#links.note(input.id, realpathSync(input.bundle));
    return createWithMonitor(input, context, signal);
  }

  async start(id: string, { signal }: CallOptions = {}): Promise<void> {
    const { name, state } = await this.#known(id, "starting");
    if (!state.waits) throw new BerthError("conflict", `starting container ${short(id)}: it has been started already`);
    await openStartPipe({ name, directory: join(this.#root, id), state }, this.#options.clock, signal);
  }

  async kill(id: string, signalName: string, options: CallOptions & { all?: boolean } = {}): Promise<void> {
    const { state } = await this.#known(id, `sending ${signalName} to`);
    if (!isAlive(state))
      throw new BerthError("conflict", `sending ${signalName} to container ${short(id)}: it does not run`);
    const pids = options.all ? await this.#cgroups.processes(state.cgroupPath) : [state.pid];
    for (const pid of pids) signalProcess(pid, signalName);
    // Frozen processes do not even die.
    if (signalName.replace(/^SIG/, "") === "KILL" && this.#cgroups.isFrozen(state.cgroupPath)) {
      await this.#cgroups.freeze(state.cgroupPath, false, options);
    }
  }

  async pause(id: string, options: CallOptions = {}): Promise<void> {
    const { state } = await this.#known(id, "pausing");
    if (!isAlive(state)) throw new BerthError("conflict", `pausing container ${short(id)}: it does not run`);
    await this.#cgroups.freeze(state.cgroupPath, true, options);
  }

  async resume(id: string, options: CallOptions = {}): Promise<void> {
    const { state } = await this.#known(id, "resuming");
    await this.#cgroups.freeze(state.cgroupPath, false, options);
  }

  async update(id: string, resources: Record<string, unknown>, { signal }: CallOptions = {}): Promise<void> {
    const { program } = await this.#chosen();
    await using verb = await updateArguments(id, resources, join(this.#root, id));
    const result = await runVerb(program, this.#root, verb.arguments, { environment: this.#environment, signal });
    if (!result.ok) throw runtimeError(`changing the limits of container ${short(id)}`, result.words, undefined);
  }

  async delete(id: string, options: CallOptions & { force?: boolean } = {}): Promise<void> {
    const state = await this.#state(id);
    const bundle = this.#links.find(id);
    if (state === undefined && bundle === undefined) return;
    if (state !== undefined && isAlive(state)) {
      if (!options.force) throw new BerthError("conflict", `deleting container ${short(id)}: it still runs`);
      signalProcess(state.pid, "SIGKILL");
    }
    if (state === undefined) endMakers(bundle!);
    const cgroupPath = state?.cgroupPath ?? cgroupPathOfBundle(bundle!);
    if (cgroupPath && !this.#cgroups.removeIfEmpty(cgroupPath)) {
      // Also what outlived the first process, as it can in the host's process namespace; and before the group can go.
      await this.#cgroups.killAll(cgroupPath, options);
      await this.#cgroups.remove(cgroupPath, options);
    }
    await this.#forgetContainer(id, state !== undefined);
  }

  async state(id: string): Promise<{ status: string; pid: number } | undefined> {
    const state = await this.#state(id);
    if (state === undefined) return undefined;
    if (!isAlive(state)) return { status: "stopped", pid: 0 };
    const frozen = this.#cgroups.isFrozen(state.cgroupPath);
    return { status: state.waits ? "created" : frozen ? "paused" : "running", pid: state.pid };
  }

  async exec(input: ExecInput, { signal }: CallOptions = {}): Promise<RunningExec> {
    const run = input.tty || input.detach ? execMonitored : execPiped;
    return run(input, await this.#context(), signal);
  }

  async attach(input: { id: string; bundle: string; stdin: boolean; tty: boolean }): Promise<RuntimeStreams> {
    return attachTo(input.bundle, input);
  }

  async resize(input: { bundle: string; execId?: string; rows: number; columns: number }): Promise<void> {
    const directory = input.execId === undefined ? input.bundle : execDirectory(input.bundle, input.execId);
    tellSize(directory, input.rows, input.columns);
  }

  exitOf(target: MonitorTarget): ExitRecord | undefined {
    return readExitRecord(this.exitsDirectory, target);
  }

  monitorPid({ bundle }: MonitorTarget): number | undefined {
    return readMonitorPid(bundle);
  }

  forget(target: MonitorTarget): void {
    dropExitRecord(this.exitsDirectory, target);
    if (target.execId) rmSync(join(this.#execExitsDirectory, target.execId), { recursive: true, force: true });
  }

  async reopenLog(input: MonitorTarget & { logPath: string }, { signal }: CallOptions = {}): Promise<void> {
    const { clock } = this.#options;
    tellReopenLog(input.bundle);
    const start_ms = clock.now_ms();
    while (!existsSync(input.logPath)) {
      if (clock.now_ms() - start_ms > reopenPatience_ms) {
        throw new BerthError("timeout", `the monitor did not make the log ${input.logPath} anew`);
      }
      await clock.sleep(reopenPoll_ms, { signal });
    }
  }

  async list(): Promise<string[]> {
    const entries = await readdir(this.#root, { withFileTypes: true });
    const known = entries.filter(entry => entry.isDirectory() && !entry.name.startsWith(".")).map(entry => entry.name);
    return [...new Set([...known, ...this.#links.list()])];
  }

  /**
   * Killed at any point, it leaves either the runtime's whole record or, where there was none, our link to the bundle: a link without a record means that the
   * making was killed, and would have the makers looked for and ended.
   */
  async #forgetContainer(id: string, recorded: boolean): Promise<void> {
    const record = join(this.#root, id);
    if (!recorded) {
      await rm(record, { recursive: true, force: true });
      this.#links.forget(id);
      return;
    }
    this.#links.forget(id);
    const discarded = join(this.#root, `.${id}-${randomBytes(4).toString("hex")}`);
    await rename(record, discarded).catch(thrown => {
      // Another process was deleting it, too.
      if (thrown.code !== "ENOENT") throw thrown;
    });
    await rm(discarded, { recursive: true, force: true });
  }

  /** Of an earlier making or run of the same container. */
  async #clearAway(id: string, signal: AbortSignal | undefined): Promise<void> {
    const state = await this.#state(id);
    if (state !== undefined && isAlive(state)) {
      throw new BerthError("conflict", `making container ${short(id)}: it is there already, as process ${state.pid}`);
    }
    await this.delete(id, { signal });
  }

  #chosen(): Promise<RuntimeChoice> {
    const { searchPath, runDirectory, cacheDirectory, runtime } = this.#options;
    this.#choice ??= chooseRuntime({
      searchPath,
      directory: cacheDirectory ?? runDirectory,
      cgroups: this.#cgroups,
      only: runtime,
    });
    // A failure is not for ever: what is missing may be installed.
    this.#choice.catch(() => (this.#choice = undefined));
    return this.#choice;
  }

  async #context(): Promise<MonitorContext> {
    const { program, monitor } = await this.#chosen();
    return {
      monitor,
      runtime: program,
      runtimeRoot: this.#root,
      exitsDirectory: this.exitsDirectory,
      execExitsDirectory: this.#execExitsDirectory,
      environment: this.#environment,
    };
  }

  /** A container may have been made by the runtime that was the better one before an upgrade: its own files tell. */
  async #state(id: string): Promise<(RuntimeState & { name: RuntimeName }) | undefined> {
    for (const name of ["crun", "runc"] as const) {
      const state = readRuntimeState(name, this.#root, id);
      if (state !== undefined) return { ...state, name };
    }
    return undefined;
  }

  async #known(id: string, attempt: string): Promise<{ name: RuntimeName; state: RuntimeState }> {
    const state = await this.#state(id);
    if (state === undefined) {
      throw new BerthError("not_found", `${attempt} container ${short(id)}: the runtime does not know it`);
    }
    return { name: state.name, state };
  }
}

const short = (id: string) => id.slice(0, 12);
