import { spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import type { ExecInput, RunningExec, RuntimeStreams } from "../../ports/runtime.ts";
import { attachTo } from "./attach.ts";
import { tellSize } from "./control-pipe.ts";
import { execDirectory } from "./exit-records.ts";
import { bundleFiles, execArguments, type MonitorContext } from "./monitor-arguments.ts";
import { collect } from "./run-program.ts";
import { lastLoggedError, runtimeError } from "./runtime-errors.ts";
import { SyncPipe, type SyncReport } from "./sync-pipe.ts";

/** How conmon is told of its pipes: numbers of descriptors. */
const pipes = { _OCI_SYNCPIPE: "3", _OCI_STARTPIPE: "4", _OCI_ATTACHPIPE: "5" };

/**
 * Exec under a monitor of its own: it has the terminal, or outlives us where the caller detaches. With a terminal the monitor waits for us to attach before it
 * lets the program run, so that no output is missed. conmon's protocol: a byte starts it, it reports that it listens, we attach, a byte lets it run.
 */
export async function execMonitored(
  input: ExecInput,
  context: MonitorContext,
  signal?: AbortSignal,
): Promise<RunningExec> {
  const directory = execDirectory(input.bundle, input.execId);
  await mkdir(directory, { recursive: true });
  const exits = join(context.execExitsDirectory, input.execId);
  await mkdir(exits, { recursive: true });
  await writeFile(join(directory, bundleFiles.process), JSON.stringify({ ...input.process, terminal: input.tty }));
  signal?.throwIfAborted();
  const child = spawn(context.monitor, execArguments({ ...input, directory }, context), {
    cwd: directory,
    env: { ...context.environment, ...pipes },
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe", "pipe"],
    detached: true,
  });
  const words = collect(child.stderr as Readable);
  // Node's types know of five descriptors only.
  const [, , , syncEnd, startEnd, attachEnd] = child.stdio as (Readable | Writable | null | undefined)[];
  const sync = new SyncPipe(syncEnd as Readable);
  const listening = new SyncPipe(attachEnd as Readable);
  const go = startEnd as Writable;
  go.on("error", () => undefined);
  let streams: RuntimeStreams | undefined;
  try {
    await new Promise((resolve, reject) => child.once("spawn", () => resolve(undefined)).once("error", reject));
    go.write("\n");
    if (!input.detach) {
      if ((await listening.next(signal)) !== undefined) streams = attachTo(directory, input);
      go.write("\n");
    }
    const report = await sync.next(signal);
    if (report === undefined || report.data < 0) throw await failure(input, directory, report, words());
    const result = running(input, directory, exits, report.data, streams, sync);
    if (input.detach) sync.close();
    return result;
  } catch (thrown) {
    await streams?.[Symbol.asyncDispose]();
    sync.close();
    await cleanUp(directory, exits);
    throw thrown;
  } finally {
    listening.close();
    go.destroy();
    child.stderr?.destroy();
    child.unref();
  }
}

function running(
  input: ExecInput,
  directory: string,
  exits: string,
  pid: number,
  streams: RuntimeStreams | undefined,
  sync: SyncPipe,
): RunningExec {
  return {
    pid,
    stdin: streams?.stdin,
    output: streams?.output ?? nothing(),
    // A detached one is asked for through `exitOf`: nobody waits here.
    exit: input.detach
      ? new Promise(() => undefined)
      : attachedExit(input, sync).finally(() => cleanUp(directory, exits)),
    async resize(rows, columns) {
      if (!input.tty) throw new BerthError("invalid", `exec ${input.execId} has no terminal to resize`);
      tellSize(directory, rows, columns);
    },
    async [Symbol.asyncDispose]() {
      await streams?.[Symbol.asyncDispose]();
    },
  };
}

/** conmon's last report is the exit code. */
async function attachedExit(input: ExecInput, sync: SyncPipe): Promise<number> {
  try {
    const report = await sync.next();
    if (report !== undefined) return report.data;
    throw new BerthError("internal", `the monitor of exec ${input.execId} ended without its exit code`, {
      hint: "was conmon killed? the program may still run",
    });
  } finally {
    sync.close();
  }
}

async function cleanUp(...directories: string[]): Promise<void> {
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
}

async function failure(
  input: ExecInput,
  directory: string,
  report: SyncReport | undefined,
  words: string,
): Promise<BerthError> {
  const logged = lastLoggedError(await readFile(join(directory, bundleFiles.runtimeLog), "utf8").catch(() => ""));
  return runtimeError(
    `running a program in container ${input.id.slice(0, 12)}`,
    logged || report?.message || words,
    (input.process["args"] as string[] | undefined)?.[0],
  );
}

async function* nothing(): AsyncGenerator<never> {}
