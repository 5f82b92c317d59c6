import { mkdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
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
import { execPiped } from "./exec-piped.ts";
import { dropExitRecord, readExitRecord } from "./exit-records.ts";
import { createWithMonitor } from "./monitor.ts";
import { runtimeError } from "./runtime-errors.ts";
import { type RuntimeProgram, runtimeProgram, runVerb } from "./runtime-program.ts";

export interface ConmonRuntimeOptions {
  /** Of this engine alone, on a memory file system: what is in it is void after a reboot. */
  runDirectory: string;
  /** PATH, in which conmon and the runtimes are looked for, and which exit commands get. */
  searchPath: string;
}

/** Containers made by runc or crun, each held by a conmon of its own. */
export class ConmonRuntime implements Runtime {
  readonly exitsDirectory: string;
  readonly #environment: Record<string, string>;
  readonly #runtimeRoot: string;

  constructor(options: ConmonRuntimeOptions) {
    this.exitsDirectory = join(options.runDirectory, "exits");
    this.#runtimeRoot = join(options.runDirectory, "runtime");
    this.#environment = { PATH: options.searchPath };
    mkdirSync(this.exitsDirectory, { recursive: true, mode: 0o700 });
    mkdirSync(this.#runtimeRoot, { recursive: true, mode: 0o700 });
  }

  async info(): Promise<RuntimeInfo> {
    const { name, path, version } = await this.#program();
    return { name, path, version, monitor: "conmon", reason: "" };
  }

  async create(input: CreateInput, { signal }: CallOptions = {}): Promise<{ pid: number; monitorPid: number }> {
    const context = {
      monitor: "conmon",
      runtime: await this.#program(),
      exitsDirectory: this.exitsDirectory,
      environment: this.#environment,
    };
    return createWithMonitor(input, context, signal);
  }

  async start(id: string, options?: CallOptions): Promise<void> {
    await this.#verb(`starting container ${id.slice(0, 12)}`, ["start", id], options);
  }

  async kill(id: string, signal: string, options: CallOptions & { all?: boolean } = {}): Promise<void> {
    const all = options.all ? ["--all"] : [];
    await this.#verb(`sending ${signal} to container ${id.slice(0, 12)}`, ["kill", ...all, id, signal], options);
  }

  async pause(id: string, options?: CallOptions): Promise<void> {
    await this.#verb(`pausing container ${id.slice(0, 12)}`, ["pause", id], options);
  }

  async resume(id: string, options?: CallOptions): Promise<void> {
    await this.#verb(`resuming container ${id.slice(0, 12)}`, ["resume", id], options);
  }

  async update(_id: string, _resources: Record<string, unknown>): Promise<void> {
    throw new BerthError("unsupported", "update");
  }

  async delete(id: string, options: CallOptions & { force?: boolean } = {}): Promise<void> {
    const force = options.force ? ["--force"] : [];
    await this.#verb(`deleting container ${id.slice(0, 12)}`, ["delete", ...force, id], options);
  }

  async state(id: string, options: CallOptions = {}): Promise<{ status: string; pid: number } | undefined> {
    const result = await runVerb(await this.#program(), ["state", id], { environment: this.#environment, ...options });
    if (!result.ok) return undefined;
    const { status, pid } = JSON.parse(result.stdout) as { status: string; pid: number };
    return { status, pid };
  }

  async exec(input: ExecInput, { signal }: CallOptions = {}): Promise<RunningExec> {
    if (input.tty || input.detach) throw new BerthError("unsupported", "exec with a terminal");
    return execPiped(input, await this.#program(), this.#environment, signal);
  }

  async attach(): Promise<RuntimeStreams> {
    throw new BerthError("unsupported", "attach");
  }

  async resize(): Promise<void> {
    throw new BerthError("unsupported", "resize");
  }

  exitOf(target: MonitorTarget): ExitRecord | undefined {
    return readExitRecord(this.exitsDirectory, target);
  }

  forget(target: MonitorTarget): void {
    dropExitRecord(this.exitsDirectory, target);
  }

  async reopenLog(): Promise<void> {
    throw new BerthError("unsupported", "reopenLog");
  }

  async list(): Promise<string[]> {
    return readdir(this.#runtimeRoot);
  }

  async #program(): Promise<RuntimeProgram> {
    return runtimeProgram({
      name: "runc",
      path: "/usr/sbin/runc",
      commandPath: "/usr/sbin/runc",
      version: "",
      root: this.#runtimeRoot,
    });
  }

  async #verb(attempt: string, verbArguments: string[], { signal }: CallOptions = {}): Promise<string> {
    const result = await runVerb(await this.#program(), verbArguments, { environment: this.#environment, signal });
    if (!result.ok) throw runtimeError(attempt, result.words, undefined);
    return result.stdout;
  }
}
