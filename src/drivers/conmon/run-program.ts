import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";

/** More words than this from a program that failed help nobody. */
const outputLimit_bytes = 1 << 20;

export interface ProgramResult {
  /** 128 + signal number is not used here: a signal gives code -1. */
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end and collects what it says. Aborting kills it. A program that cannot be started throws `unavailable`. */
export async function runProgram(
  path: string,
  programArguments: string[],
  options: { environment: Record<string, string>; cwd?: string; signal?: AbortSignal },
): Promise<ProgramResult> {
  options.signal?.throwIfAborted();
  const child = spawn(path, programArguments, {
    env: options.environment,
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
    signal: options.signal,
    killSignal: "SIGKILL",
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    return { code: code ?? -1, stdout: stdout(), stderr: stderr() };
  } catch (thrown) {
    options.signal?.throwIfAborted();
    throw new BerthError("unavailable", `cannot run ${path}: ${thrown instanceof Error ? thrown.message : thrown}`, {
      hint: "check that the program is installed and may be executed",
      cause: thrown,
    });
  }
}

/** Reads all, keeps a bounded part. */
export function collect(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    if (size < outputLimit_bytes) chunks.push(chunk);
    size += chunk.length;
  });
  // A broken pipe here only means that the program is gone; its exit code says what there is to say.
  stream.on("error", () => undefined);
  return () => Buffer.concat(chunks).toString("utf8");
}
