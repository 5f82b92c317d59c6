import { type ChildProcess, spawn } from "node:child_process";
import { type FSWatcher, readFileSync, watch } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import type { ExecInput, RunningExec } from "../../ports/runtime.ts";
import { execDirectory } from "./exit-records.ts";
import { mergeOutput } from "./merge-output.ts";
import { bundleFiles, type MonitorContext } from "./monitor-arguments.ts";
import { lastLoggedError, runtimeError } from "./runtime-errors.ts";
import { runtimeArguments } from "./runtime-program.ts";

/**
 * Exec without a terminal for a caller who stays: the runtime itself is our child and its pipes are ours, with no monitor in between. A slow reader slows the
 * process that was executed (as in any shell pipe), never the container.
 */
export async function execPiped(
  input: ExecInput,
  { runtime, runtimeRoot, environment }: MonitorContext,
  signal?: AbortSignal,
): Promise<RunningExec> {
  const directory = execDirectory(input.bundle, input.execId);
  await mkdir(directory, { recursive: true });
  const processPath = join(directory, bundleFiles.process);
  await writeFile(processPath, JSON.stringify({ ...input.process, terminal: false }));
  signal?.throwIfAborted();
  const pidPath = join(directory, bundleFiles.pid);
  const log = join(directory, bundleFiles.runtimeLog);
  const started = whenWritten(directory, bundleFiles.pid);
  const verb = ["exec", "--process", processPath, "--pid-file", pidPath, input.id];
  const child = spawn(runtime.command, runtimeArguments(runtime, runtimeRoot, verb, log), {
    env: environment,
    stdio: [input.stdin ? "pipe" : "ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  const attempt = `running a program in container ${input.id.slice(0, 12)}`;
  const exit = exitCode(child);
  // Only until it runs: a caller who goes away later does not end what was executed.
  const callOff = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", callOff, { once: true });
  const output = mergeOutput(child.stdout as Readable, child.stderr as Readable);
  try {
    await Promise.race([started.done, exit]);
    signal?.throwIfAborted();
    const pid = readPid(pidPath);
    if (pid === undefined) {
      // Either it could not be run, or it has ended already and the runtime saw no point in writing its pid.
      const words = lastLoggedError(await readFile(log, "utf8").catch(() => ""));
      if (words !== "") throw runtimeError(attempt, words, (input.process["args"] as string[] | undefined)?.[0]);
    }
    child.stdin?.on("error", () => undefined);
    return {
      pid: pid ?? 0,
      stdin: child.stdin ?? undefined,
      output,
      exit: exit.finally(() => rm(directory, { recursive: true, force: true })),
      resize: async () => {
        throw new BerthError("invalid", `exec ${input.execId} has no terminal to resize`);
      },
      async [Symbol.asyncDispose]() {
        child.stdin?.end();
        child.stdout?.resume();
        child.stderr?.resume();
      },
    };
  } catch (thrown) {
    await rm(directory, { recursive: true, force: true });
    throw thrown;
  } finally {
    signal?.removeEventListener("abort", callOff);
    started.close();
  }
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** The runtime writes the pid file (by rename) when the program has been executed. */
function whenWritten(directory: string, name: string): { done: Promise<void>; close: () => void } {
  let watcher: FSWatcher | undefined;
  const done = new Promise<void>((resolve, reject) => {
    watcher = watch(directory, (_, changed) => {
      if (changed === name) resolve();
    });
    watcher.once("error", reject);
  });
  return { done, close: () => watcher?.close() };
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    return pid > 0 ? pid : undefined;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}
