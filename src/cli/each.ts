import { asBerthError } from "../base/errors.ts";
import { type CliContext, print } from "./context.ts";
import { ExitWith, formatError } from "./exit.ts";

/**
 * Does the same to several things at once, prints each name as it is done (or what `work` returns), and reports every failure, not only the first.
 * `unchanged` counts as done: stopping what is stopped is no error.
 */
export async function forEach(
  context: CliContext,
  names: string[],
  work: (name: string) => Promise<string | undefined>,
): Promise<void> {
  const results = await Promise.allSettled(names.map(work));
  let failed = false;
  for (const [index, result] of results.entries()) {
    if (result.status === "fulfilled") {
      print(context, result.value ?? names[index]!);
      continue;
    }
    const error = asBerthError(result.reason);
    if (error.code === "unchanged") print(context, names[index]!);
    else {
      failed = true;
      context.stderr.write(formatError(context.program, error));
    }
  }
  if (failed) throw new ExitWith(1);
}
