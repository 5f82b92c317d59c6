import { runProgram } from "./run-program.ts";

export type RuntimeName = "crun" | "runc";

/** An OCI runtime as it is to be called on this host. */
export interface RuntimeProgram {
  name: RuntimeName;
  /** The runtime itself. */
  path: string;
  version: string;
  /** What is started: the runtime, or what prepares its surroundings first. */
  command: string;
  /** What comes first among the arguments: nothing, or how to get from `command` to the runtime. */
  prefix: string[];
}

/** Arguments for a verb of the OCI runtime command line, on which runc and crun agree. Errors go to `log` as JSON lines, if given. */
export function runtimeArguments(program: RuntimeProgram, root: string, verb: string[], log?: string): string[] {
  const logging = log === undefined ? [] : ["--log-format=json", "--log", log];
  return [...program.prefix, "--root", root, ...logging, ...verb];
}

/** Runs a verb; gives its output, or its error's words. */
export async function runVerb(
  program: RuntimeProgram,
  root: string,
  verb: string[],
  options: { environment: Record<string, string>; signal?: AbortSignal },
): Promise<{ ok: true; stdout: string } | { ok: false; words: string }> {
  const result = await runProgram(program.command, runtimeArguments(program, root, verb), options);
  if (result.code === 0) return { ok: true, stdout: result.stdout };
  return { ok: false, words: result.stderr.trim() || `${program.name} ended with code ${result.code}` };
}
