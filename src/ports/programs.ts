import type { CallOptions } from "./content.ts";

export interface ProgramResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end with `input` on stdin; output is text and bounded (1 MiB a stream). A program that is not found or cannot be started
 * throws `not_found`, one that takes longer than `timeout_ms` throws `timeout` and is killed. A failing exit code is a result, not an error.
 */
export type RunProgram = (
  program: string,
  args: string[],
  options: CallOptions & { input?: string; timeout_ms: number },
) => Promise<ProgramResult>;
