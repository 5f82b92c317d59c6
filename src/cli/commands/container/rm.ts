import type { Command } from "commander";
import { isCode } from "../../../base/errors.ts";
import type { CliContext } from "../../context.ts";
import { forEach } from "../../each.ts";

interface Flags {
  force?: boolean;
  volumes?: boolean;
  link?: boolean;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container...>", "names or ids")
    .option("-f, --force", "kill it first if it runs; no error if it is not there")
    .option("-v, --volumes", "remove its anonymous volumes too")
    .option("-l, --link", "remove a link, not the container")
    .action(async (names: string[], flags: Flags) => {
      const { containers } = await context.engine();
      await forEach(context, names, async name => {
        try {
          await containers.remove(name, { ...flags, signal: context.signal });
        } catch (thrown) {
          if (!flags.force || !isCode(thrown, "not_found")) throw thrown;
        }
        return undefined;
      });
    });
}
