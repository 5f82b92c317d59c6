import { BerthError, isCode } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { ExecSpec, ExecState, Session } from "../../ports/engine.ts";
import type { RunningExec } from "../../ports/runtime.ts";
import { requireRunning } from "../containers/signal-container.ts";
import type { EngineContext } from "../context.ts";
import { containerEvent } from "../lifecycle/attributes.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { buildExecProcess } from "../spec/build-exec-process.ts";
import { userFiles } from "../start/runtime-spec.ts";
import { DirectoryWatch } from "../state/directory-watch.ts";
import { isSameProcess, processStart } from "../state/process-alive.ts";
import type { ContainerConfig } from "../state/record.ts";
import { addExec, type ExecRecord, readExec, writeExec } from "./exec-record.ts";
import { ExecSession } from "./exec-session.ts";

/** What an exec's code is taken to be when nobody saw its end. */
const lostExitCode = 255;
const poll_ms = 50;

/** Returns its id. Throws `conflict` when the container does not run or is paused. */
export function createExec(context: EngineContext, reference: string, spec: ExecSpec): string {
  const id = context.store.find(reference);
  const config = context.store.config(id);
  requireUsable(context, config);
  const exec = context.newId();
  if (spec.args.length === 0) throw new BerthError("invalid", "exec: no command is given");
  addExec(context, { id: exec, containerId: id, spec, phase: "created", pid: 0, pidStart: "", detached: false });
  containerEvent(context, config, `exec_create: ${spec.args.join(" ")}`, { execID: exec });
  return exec;
}

export interface StartExecOptions extends CallOptions {
  detach?: boolean;
  tty?: boolean;
  rows?: number;
  columns?: number;
}

export async function startExec(
  context: EngineContext,
  execId: string,
  options: StartExecOptions = {},
): Promise<Session | undefined> {
  const record = readExec(context, execId);
  const config = context.store.config(record.containerId);
  requireUsable(context, config);
  if (record.phase !== "created") {
    throw new BerthError("conflict", `exec ${execId.slice(0, 12)} was started already`, { hint: "make a new exec" });
  }
  const tty = options.tty ?? record.spec.tty ?? false;
  const detach = options.detach ?? false;
  const running = await runExec(context, config, record, { tty, detach, signal: options.signal });
  const started: ExecRecord = {
    ...record,
    phase: "running",
    pid: running.pid,
    pidStart: processStart(running.pid) ?? "",
    detached: detach,
  };
  writeExec(context, started);
  containerEvent(context, config, `exec_start: ${record.spec.args.join(" ")}`, { execID: execId });
  const ended = recordEnd(context, config, started, running);
  if (options.rows && options.columns && tty) await running.resize(options.rows, options.columns);
  if (!detach) return new ExecSession(running, ended, tty);
  ended.catch(() => undefined);
  return undefined;
}

/** A program that cannot be run has an exit code all the same (126, 127), which is written down for who asks later. */
async function runExec(
  context: EngineContext,
  config: ContainerConfig,
  record: ExecRecord,
  { tty, detach, signal }: CallOptions & { tty: boolean; detach: boolean },
): Promise<RunningExec> {
  const { pid } = context.store.state(config.id);
  const process = buildExecProcess({
    exec: { ...record.spec, tty },
    container: { spec: config.spec, process: config.process, hostname: config.hostname },
    ...(await userFiles(context, `/proc/${pid}/root`)),
    host: context.host.facts(),
    noNewPrivileges: context.settings?.noNewPrivileges,
  });
  const bundle = context.paths.bundle(config.id);
  const stdin = !detach && (record.spec.stdin ?? false);
  try {
    return await context.runtime.exec(
      { id: config.id, execId: record.id, bundle, process, tty, stdin, detach },
      { signal },
    );
  } catch (thrown) {
    const exitCode = thrown instanceof BerthError ? thrown.details?.["exitCode"] : undefined;
    if (typeof exitCode === "number") writeExec(context, { ...record, phase: "ended", exitCode });
    throw thrown;
  }
}

async function recordEnd(
  context: EngineContext,
  config: ContainerConfig,
  record: ExecRecord,
  running: RunningExec,
): Promise<number> {
  const exitCode = await running.exit;
  writeExec(context, { ...record, phase: "ended", exitCode });
  containerEvent(context, config, "exec_die", { execID: record.id, exitCode: String(exitCode) });
  return exitCode;
}

/** Who started it may be gone: then the monitor's record, or the process, tells. */
export function inspectExec(context: EngineContext, execId: string): ExecState {
  const { id, containerId, spec, phase, pid, pidStart, exitCode } = readExec(context, execId);
  const state = { id, containerId, spec, pid };
  if (phase === "created") return { ...state, running: false, exitCode: undefined };
  if (phase === "ended") return { ...state, running: false, exitCode };
  const recorded = context.runtime.exitOf({ id: containerId, bundle: context.paths.bundle(containerId), execId });
  if (recorded) return { ...state, running: false, exitCode: recorded.exitCode };
  const running = isSameProcess(pid, pidStart);
  return { ...state, running, exitCode: running ? undefined : lostExitCode };
}

/** Exit code of an exec, once it has ended. */
export async function waitExec(context: EngineContext, execId: string, options: CallOptions): Promise<number> {
  const { containerId } = readExec(context, execId);
  using watch = new DirectoryWatch(context.clock, [`${context.paths.execs(containerId)}/${execId}`]);
  let gone: number | undefined;
  for (;;) {
    try {
      const state = inspectExec(context, execId);
      if (!state.running && state.exitCode !== undefined) {
        // The process may have ended a moment before the one who waits for it has written its code down.
        if (state.exitCode !== lostExitCode || gone === state.exitCode) return state.exitCode;
        gone = state.exitCode;
      }
    } catch (thrown) {
      if (isCode(thrown, "not_found")) return lostExitCode;
      throw thrown;
    }
    await watch.next({ signal: options.signal, timeout_ms: poll_ms });
  }
}

export async function resizeExec(
  context: EngineContext,
  execId: string,
  rows: number,
  columns: number,
  options: CallOptions,
): Promise<void> {
  const { containerId } = readExec(context, execId);
  await context.runtime.resize({ bundle: context.paths.bundle(containerId), execId, rows, columns }, options);
}

function requireUsable(context: EngineContext, config: ContainerConfig): void {
  const state = context.store.state(config.id);
  requireRunning(context, { id: config.id, config, state }, "run a program in");
  if (state.paused && isRunning(look(context, config.id))) {
    throw new BerthError("conflict", `cannot run a program in container ${config.name}: it is paused`, {
      hint: `let it go on: berth unpause ${config.name}`,
    });
  }
}
