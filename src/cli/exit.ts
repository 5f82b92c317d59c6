import type { BerthError } from "../base/errors.ts";

/** Thrown by a command that has said all and wants a certain exit code, e.g. a container's own. */
export class ExitWith extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** How a failure is told on stderr. */
export function formatError(program: string, error: BerthError): string {
  return `${program}: ${error.message}\n${error.hint ? `hint: ${error.hint}\n` : ""}`;
}
