import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import type { CreateInput } from "../../ports/runtime.ts";
import { bundleFiles, createArguments, type MonitorContext } from "./monitor-arguments.ts";
import { collect } from "./run-program.ts";
import { runtimeError } from "./runtime-errors.ts";
import { SyncPipe } from "./sync-pipe.ts";

/**
 * Starts a monitor that makes the container; returns once it waits for `start`. The monitor leaves our process tree at once (it forks twice), so that
 * nothing which happens to us happens to it. Aborting lets the monitor finish: delete the container by force then.
 */
export async function createWithMonitor(
  input: CreateInput,
  context: MonitorContext,
  signal?: AbortSignal,
): Promise<{ pid: number; monitorPid: number }> {
  signal?.throwIfAborted();
  const persist = join(input.bundle, bundleFiles.persist);
  // What an earlier run of the same container left must not be taken for this one's end.
  rmSync(persist, { recursive: true, force: true });
  rmSync(join(context.exitsDirectory, input.id), { force: true });
  mkdirSync(persist, { recursive: true });
  const child = spawn(context.monitor, createArguments(input, context), {
    cwd: input.bundle,
    env: { ...context.environment, _OCI_SYNCPIPE: "3" },
    stdio: ["ignore", "ignore", "pipe", "pipe", ...(input.lockFd === undefined ? [] : [input.lockFd])],
    detached: true,
  });
  const words = collect(child.stderr as Readable);
  const failure = new Promise<never>((_, reject) =>
    child.once("error", thrown =>
      reject(new BerthError("unavailable", `cannot run the monitor ${context.monitor}: ${thrown.message}`)),
    ),
  );
  const sync = new SyncPipe(child.stdio[3] as Readable);
  try {
    const report = await Promise.race([sync.next(signal), failure]);
    const attempt = `making container ${input.id.slice(0, 12)} with ${context.runtime.name}`;
    if (report === undefined) throw runtimeError(attempt, words(), undefined);
    if (report.data < 0) throw runtimeError(attempt, report.message ?? words(), await programName(input.bundle));
    return { pid: report.data, monitorPid: await monitorPid(input.bundle) };
  } finally {
    sync.close();
    child.stderr?.destroy();
    child.unref();
  }
}

/** The monitor writes its pid before it starts the runtime, so it is there by the time of the first report. */
async function monitorPid(bundle: string): Promise<number> {
  return Number(await readFile(join(bundle, bundleFiles.monitorPid), "utf8"));
}

async function programName(bundle: string): Promise<string | undefined> {
  const config = JSON.parse(await readFile(join(bundle, "config.json"), "utf8")) as { process?: { args?: string[] } };
  return config.process?.args?.[0];
}
