import type { Command } from "commander";
import { readContents } from "../../app/contents.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { loadSelected } from "../../app/selection.ts";
import { watchApp } from "../../app/watch/watch-app.ts";
import type { CliContext } from "../../context.ts";

interface Flags extends AppFlags {
  up: boolean;
  quiet?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all that say what to watch"))
    .option("--no-up", "do not bring the services up first")
    .option("--quiet", "do not show how they come up")
    .action(async (services: string[], flags: Flags) => {
      const { app } = await loadSelected(context, flags, services);
      if (flags.up) {
        const options = { services: services.length > 0 ? services : undefined, contents: readContents(app, context) };
        const events = (await context.backend("apps")).up(app, { ...options, signal: context.signal });
        await follow(context, events, flags.quiet);
      }
      await watchApp(context, app, services);
    });
}
