import { createInterface } from "node:readline/promises";
import { BerthError } from "../base/errors.ts";
import type { CliContext } from "./context.ts";

/** Asks on the terminal; anything but yes stops the command. Without a terminal it must have been said with --force. */
export async function confirm(context: CliContext, warning: string): Promise<void> {
  if (!context.stdin.isTTY)
    throw new BerthError("invalid", `not done without asking: ${warning}`, {
      hint: "add --force where nobody can be asked",
    });
  const reader = createInterface({ input: context.stdin, output: context.stderr as NodeJS.WritableStream });
  try {
    const answer = await reader.question(`${warning} Go on? [y/N] `, { signal: context.signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new BerthError("cancelled", "nothing was done");
  } finally {
    reader.close();
  }
}
