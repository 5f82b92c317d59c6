import type { Command } from "commander";
import { isCode } from "../../../base/errors.ts";
import type { CliContext } from "../../context.ts";
import { forEach } from "../../each.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<volume...>", "names")
    .option("-f, --force", "no error if it is not there")
    .action(async (names: string[], flags: { force?: boolean }) => {
      const { volumes } = await context.engine();
      await forEach(context, names, async name => {
        try {
          await volumes.remove(name, { signal: context.signal });
        } catch (thrown) {
          if (!flags.force || !isCode(thrown, "not_found")) throw thrown;
        }
        return undefined;
      });
    });
}
