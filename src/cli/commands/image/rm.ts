import type { Command } from "commander";
import { asBerthError } from "../../../base/errors.ts";
import { type CliContext, print } from "../../context.ts";
import { ExitWith, formatError } from "../../exit.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<image...>", "names or ids")
    .option("-f, --force", "take all names off")
    .action(async (names: string[], flags: { force?: boolean }) => {
      const { images } = await context.engine();
      let failed = false;
      // One after the other: two names of one image must not race for its last reference.
      for (const name of names) {
        try {
          for (const step of await images.remove(name, { force: flags.force, signal: context.signal })) {
            print(context, step.untagged === undefined ? `Deleted: ${step.deleted}` : `Untagged: ${step.untagged}`);
          }
        } catch (thrown) {
          failed = true;
          context.stderr.write(formatError(context.program, asBerthError(thrown)));
        }
      }
      if (failed) throw new ExitWith(1);
    });
}
