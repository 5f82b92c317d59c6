import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { selectedName } from "../../app/selection.ts";
import { type CliContext, print } from "../../context.ts";

interface Flags extends AppFlags {
  signal: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named"))
    .option("-s, --signal <signal>", "signal to send", "SIGKILL")
    .action(async (services: string[], flags: Flags) => {
      const name = await selectedName(context, flags);
      const options = {
        services: services.length > 0 ? services : undefined,
        killSignal: flags.signal,
        signal: context.signal,
      };
      for (const task of await (await context.backend("apps")).kill(name, options)) print(context, task);
    });
}
