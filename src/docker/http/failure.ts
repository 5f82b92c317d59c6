import { asBerthError, type BerthError } from "../../base/errors.ts";

/** 499 and 507 mean nothing to Docker's clients. */
const statuses: Record<number, number> = { 499: 500, 504: 500, 507: 500 };

/** The status and the `{message}` that Docker would answer an error with. */
export function failure(thrown: unknown): { status: number; message: string } {
  const error = asBerthError(thrown);
  return { status: statuses[error.status] ?? error.status, message: sentence(error) };
}

/** Message and hint. Clients tell a command that is not there from one that cannot run by these words (docker/cli, cli/command/container/run.go). */
function sentence(error: BerthError): string {
  const words: Record<number, string> = { 126: "permission denied", 127: "executable file not found" };
  const known = words[Number(error.details?.["exitCode"])];
  const said = known === undefined || error.message.includes(known) ? error.message : `${error.message}: ${known}`;
  // Clients look for these very words.
  const message = said.replace(/^no such image\b/, "No such image");
  return error.hint === undefined ? message : `${message} (${error.hint})`;
}
