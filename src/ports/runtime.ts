import type { Duplex, Readable, Writable } from "node:stream";
import type { CallOptions } from "./content.ts";

/** OCI runtime specification 1.0 config.json; the engine writes it, the runtime reads it. Kept open: only the engine's spec builder knows all fields. */
export type RuntimeSpec = Record<string, unknown> & { ociVersion: string };

export interface CreateInput {
  id: string;
  /** Directory with config.json; also gets pid files, log and sockets. */
  bundle: string;
  tty: boolean;
  openStdin: boolean;
  stdinOnce: boolean;
  /** Absent: output is dropped. */
  logPath?: string;
  /** Program run by the monitor after the container has ended, and its exit code is recorded. */
  exitCommand: string[];
  /** Kept open by the monitor for its whole life: carries the container's lock. */
  lockFd?: number;
  /** A last bound in case nobody rotates the log: the monitor then begins it anew, losing what it held. */
  logSizeMax_bytes?: number;
}

/** What the monitor has written down at a container's end. */
export interface ExitRecord {
  /** 128 + signal if killed. */
  exitCode: number;
  oomKilled: boolean;
  /** Milliseconds since the epoch. */
  finished_ms: number;
}

export interface ExecInput {
  id: string;
  execId: string;
  bundle: string;
  /** OCI process object. */
  process: Record<string, unknown>;
  tty: boolean;
  stdin: boolean;
  detach: boolean;
}

/** Live streams of a container or an exec. `output` yields in order; a slow reader never blocks the container: beyond a bound the oldest is dropped and said so. */
export interface RuntimeStreams extends AsyncDisposable {
  stdin: Writable | undefined;
  /** With a tty everything is stdout. */
  output: AsyncIterable<{ stream: "stdout" | "stderr"; data: Buffer }>;
}

export interface RunningExec extends RuntimeStreams {
  pid: number;
  resize(rows: number, columns: number): Promise<void>;
  /** Exit code, 128 + signal if killed. */
  exit: Promise<number>;
}

export interface RuntimeInfo {
  name: string;
  path: string;
  version: string;
  monitor: string;
  /** Why this one, e.g. "crun 1.8.1 does not start here: cgroups in hybrid mode". */
  reason: string;
}

/** Names a container or, with `execId`, an exec in it. */
export interface MonitorTarget {
  id: string;
  bundle: string;
  execId?: string;
}

/** Makes, watches and ends one container at a time; keeps no state of its own beyond files under the bundle and its run directory. */
export interface Runtime {
  info(): Promise<RuntimeInfo>;
  /** Returns once the container is made and waits for `start`; throws with the runtime's own words. */
  create(input: CreateInput, options?: CallOptions): Promise<{ pid: number; monitorPid: number }>;
  start(id: string, options?: CallOptions): Promise<void>;
  kill(id: string, signal: string, options?: CallOptions & { all?: boolean }): Promise<void>;
  pause(id: string, options?: CallOptions): Promise<void>;
  resume(id: string, options?: CallOptions): Promise<void>;
  /** `resources` is the OCI linux.resources object. */
  update(id: string, resources: Record<string, unknown>, options?: CallOptions): Promise<void>;
  /** Idempotent; `force` kills first. */
  delete(id: string, options?: CallOptions & { force?: boolean }): Promise<void>;
  /** Undefined when the runtime does not know it. */
  state(id: string, options?: CallOptions): Promise<{ status: string; pid: number } | undefined>;
  exec(input: ExecInput, options?: CallOptions): Promise<RunningExec>;
  /** Streams of a created or running container. */
  attach(
    input: { id: string; bundle: string; stdin: boolean; tty: boolean },
    options?: CallOptions,
  ): Promise<RuntimeStreams>;
  /** Of the container's terminal, or an exec's; also by another process than the one that started it. */
  resize(
    input: { bundle: string; execId?: string; rows: number; columns: number },
    options?: CallOptions,
  ): Promise<void>;
  /**
   * The end of a container (or of a detached exec), as its monitor recorded it; undefined while it runs, or when its monitor was killed.
   * Synchronous: one small file.
   */
  exitOf(target: MonitorTarget): ExitRecord | undefined;
  /** Process of the monitor, as noted at its start; it may have ended since. It lets go of the lock a moment before it records the exit, and ends after that. */
  monitorPid(target: MonitorTarget): number | undefined;
  /** Something changes in this directory whenever a container ends. */
  readonly exitsDirectory: string;
  /** Drops the exit record; idempotent. */
  forget(target: MonitorTarget): void;
  /** Makes the monitor go on in a new log file after the old one was renamed; resolves once the new one is there. */
  reopenLog(target: MonitorTarget & { logPath: string }, options?: CallOptions): Promise<void>;
  /** Ids that the runtime knows: for leak checks. */
  list(options?: CallOptions): Promise<string[]>;
}

export type { Duplex, Readable };
