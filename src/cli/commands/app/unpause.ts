import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { selectedName } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named")).action(
    async (services: string[], flags: AppFlags) => {
      const name = await selectedName(context, flags);
      const apps = await context.backend("apps");
      await follow(
        context,
        apps.unpause(name, { services: services.length > 0 ? services : undefined, signal: context.signal }),
      );
    },
  );
}
