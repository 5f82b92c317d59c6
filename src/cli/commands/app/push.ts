import type { Command } from "commander";
import { withDependencies } from "../../../plan/dependencies.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { pushImages } from "../../app/push.ts";
import { loadSelected } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";

interface Flags extends AppFlags {
  ignorePushFailures?: boolean;
  includeDeps?: boolean;
  quiet?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named"))
    .option("--ignore-push-failures", "go on with the others")
    .option("--include-deps", "what the named services depend on too")
    .option("-q, --quiet", "print only problems")
    .action(async (services: string[], flags: Flags) => {
      const { app } = await loadSelected(context, flags, services);
      const named = flags.includeDeps && services.length > 0 ? [...withDependencies(app, services)] : services;
      await pushImages(context, app, named, { quiet: flags.quiet, ignoreFailures: flags.ignorePushFailures });
    });
}
