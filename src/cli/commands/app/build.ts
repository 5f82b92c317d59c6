import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { pushImages } from "../../app/push.ts";
import { loadSelected } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseLabels } from "../../options/environment.ts";

interface Flags extends AppFlags {
  buildArg: string[];
  cache: boolean;
  pull?: boolean;
  push?: boolean;
  quiet?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named"))
    .option("--build-arg <pair>", "value for an ARG, NAME=VALUE", collect, [])
    .option("--no-cache", "run every step")
    .option("--pull", "ask the registry for newer base images")
    .option("--push", "send what was built to its registries")
    .option("-q, --quiet", "print only problems")
    .action(async (services: string[], flags: Flags) => {
      const { app } = await loadSelected(context, flags, services);
      const events = (await context.backend("apps")).build(app, {
        services,
        noCache: !flags.cache || undefined,
        pull: flags.pull,
        args: parseLabels(flags.buildArg),
        signal: context.signal,
      });
      await follow(context, events, flags.quiet);
      if (flags.push) await pushImages(context, app, services, { quiet: flags.quiet });
    });
}
