import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { selectedName } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";
import { parseSeconds_ms } from "../../options/seconds.ts";

interface Flags extends AppFlags {
  timeout?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named"))
    .option("-t, --timeout <seconds>", "time for each task to end by itself")
    .action(async (services: string[], flags: Flags) => {
      const name = await selectedName(context, flags);
      const apps = await context.backend("apps");
      const options = {
        services: services.length > 0 ? services : undefined,
        stopTimeout_ms: parseSeconds_ms(flags.timeout, "--timeout"),
        signal: context.signal,
      };
      await follow(context, apps.stop(name, options));
    });
}
