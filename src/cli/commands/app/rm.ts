import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { selectedName } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";

interface Flags extends AppFlags {
  stop?: boolean;
  force?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named"), { short: false })
    .option("-s, --stop", "stop them first")
    .option("-f, --force", "accepted for docker compose's sake: nothing is asked")
    .action(async (services: string[], flags: Flags) => {
      const name = await selectedName(context, flags);
      const options = {
        services: services.length > 0 ? services : undefined,
        stop: flags.stop,
        signal: context.signal,
      };
      await follow(context, (await context.backend("apps")).rm(name, options));
    });
}
