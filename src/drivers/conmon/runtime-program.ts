import { runProgram } from "./run-program.ts";

export type RuntimeName = "crun" | "runc";

/** An OCI runtime as installed, and how it is called: the verbs of the OCI runtime command line, on which runc and crun agree. */
export interface RuntimeProgram {
  name: RuntimeName;
  /** The runtime itself. */
  path: string;
  /** What is started instead of it: the same, or our wrapper. */
  commandPath: string;
  version: string;
  /** Its state directory. */
  root: string;
  /** What comes before the verb; errors go to `log` as JSON lines. */
  globalArguments(log: string): string[];
}

export function runtimeProgram(input: Omit<RuntimeProgram, "globalArguments">): RuntimeProgram {
  return {
    ...input,
    globalArguments: log => ["--root", input.root, "--log-format=json", "--log", log],
  };
}

/** Runs a verb; gives its output, or its error's words. */
export async function runVerb(
  program: RuntimeProgram,
  verbArguments: string[],
  options: { environment: Record<string, string>; signal?: AbortSignal },
): Promise<{ ok: true; stdout: string } | { ok: false; words: string }> {
  const result = await runProgram(program.commandPath, ["--root", program.root, ...verbArguments], options);
  if (result.code === 0) return { ok: true, stdout: result.stdout };
  return { ok: false, words: result.stderr.trim() || `${program.name} ended with code ${result.code}` };
}
