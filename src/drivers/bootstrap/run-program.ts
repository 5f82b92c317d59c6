import { spawn } from "node:child_process";
import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";

const outputLimit_bytes = 4 << 20;

/** Runs a program to its end and returns what it printed. Throws `not_found` with `hint` when it is not installed. */
export async function runProgram(
  file: string,
  args: string[],
  { signal, hint }: CallOptions & { hint?: string } = {},
): Promise<string> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], signal });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (output.length < outputLimit_bytes) output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (errors.length < outputLimit_bytes) errors += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", thrown => reject(startError(file, thrown, hint)));
    child.on("close", resolve);
  });
  if (code !== 0) throw new BerthError("internal", `run ${file}: exit code ${code}: ${errors.trim()}`);
  return output;
}

export function startError(file: string, thrown: NodeJS.ErrnoException, hint: string | undefined): BerthError {
  if (thrown.name === "AbortError") return new BerthError("cancelled", `run ${file}: cancelled`, { cause: thrown });
  if (thrown.code === "ENOENT") return new BerthError("not_found", `run ${file}: it is not installed`, { hint });
  return new BerthError("internal", `run ${file}: ${thrown.message}`, { cause: thrown, hint });
}
