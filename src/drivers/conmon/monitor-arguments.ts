import { join } from "node:path";
import type { CreateInput } from "../../ports/runtime.ts";
import { type RuntimeProgram, runtimeArguments } from "./runtime-program.ts";

/** What every monitor of an engine is given. */
export interface MonitorContext {
  /** Path of conmon. */
  monitor: string;
  runtime: RuntimeProgram;
  runtimeRoot: string;
  exitsDirectory: string;
  /** Below it one directory for each exec that has a monitor. */
  execExitsDirectory: string;
  environment: Record<string, string>;
}

/** Files below the bundle that the monitor and we share. */
export const bundleFiles = {
  pid: "pidfile",
  monitorPid: "conmon.pid",
  persist: "persist",
  runtimeLog: "runtime.log",
  control: "ctl",
  attach: "attach",
  process: "process.json",
} as const;

/** conmon(8) for `create`: it stays with the container, holds its streams, writes its log and, at last, its exit code. */
export function createArguments(input: CreateInput, context: MonitorContext): string[] {
  const result = [
    ...common(
      { id: input.id, uuid: input.id, directory: input.bundle, exitsDirectory: context.exitsDirectory },
      context,
    ),
    ...["-b", input.bundle],
    ...["-p", join(input.bundle, bundleFiles.pid)],
    ...["-P", join(input.bundle, bundleFiles.monitorPid)],
    ...["--persist-dir", join(input.bundle, bundleFiles.persist)],
    ...["-l", input.logPath === undefined ? "none" : `k8s-file:${input.logPath}`],
  ];
  if (input.logSizeMax_bytes !== undefined) result.push("--log-size-max", String(input.logSizeMax_bytes));
  if (input.tty) result.push("-t");
  else if (input.openStdin) result.push("-i");
  if (input.openStdin && !input.stdinOnce) result.push("--leave-stdin-open");
  const [exitProgram, ...exitArguments] = input.exitCommand;
  if (exitProgram !== undefined) {
    result.push("--exit-command", exitProgram, ...exitArguments.flatMap(argument => ["--exit-command-arg", argument]));
  }
  return result;
}

/**
 * conmon(8) for an exec with a terminal or without a caller: `directory` is the exec's own. conmon names the exit record after the container, so that it goes to a
 * directory of the exec's own; where no caller waits for it, it is moved to where all are watched.
 */
export function execArguments(
  input: { id: string; execId: string; directory: string; tty: boolean; stdin: boolean; detach: boolean },
  context: MonitorContext,
): string[] {
  const exits = join(context.execExitsDirectory, input.execId);
  const result = [
    ...common({ ...input, exitsDirectory: exits, uuid: input.execId }, context),
    ...["-b", input.directory],
    ...["-p", join(input.directory, bundleFiles.pid)],
    ...["-P", join(input.directory, bundleFiles.monitorPid)],
    ...["-l", "none"],
    "-e",
    ...["--exec-process-spec", join(input.directory, bundleFiles.process)],
  ];
  if (input.detach) {
    const move = [join(exits, input.id), join(context.exitsDirectory, input.execId)];
    result.push("--exit-command", "/bin/mv", ...move.flatMap(argument => ["--exit-command-arg", argument]));
  } else {
    result.push("--exec-attach");
  }
  if (input.tty) result.push("-t");
  else if (input.stdin) result.push("-i");
  return result;
}

function common(
  names: { id: string; uuid: string; directory: string; exitsDirectory: string },
  context: MonitorContext,
): string[] {
  const log = join(names.directory, bundleFiles.runtimeLog);
  return [
    ...["--api-version", "1", "-c", names.id, "-u", names.uuid, "-n", names.uuid],
    ...["-r", context.runtime.command],
    ...["--exit-dir", names.exitsDirectory],
    "--full-attach",
    ...["--log-level", "error"],
    ...runtimeArguments(context.runtime, context.runtimeRoot, [], log).flatMap(argument => ["--runtime-arg", argument]),
  ];
}
