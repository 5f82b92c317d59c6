import type { Command } from "commander";
import { withDependencies } from "../../../plan/dependencies.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { loadSelected } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";

interface Flags extends AppFlags {
  ignorePullFailures?: boolean;
  includeDeps?: boolean;
  policy?: "missing" | "always";
  quiet?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named"))
    .option("--ignore-pull-failures", "go on with the others")
    .option("--include-deps", "what the named services depend on too")
    .option("--policy <when>", "missing or always")
    .option("-q, --quiet", "print only problems")
    .action(async (services: string[], flags: Flags) => {
      const { app } = await loadSelected(context, flags, services);
      const events = (await context.backend("apps")).pull(app, {
        services: flags.includeDeps && services.length > 0 ? [...withDependencies(app, services)] : services,
        missingOnly: flags.policy === "missing",
        ignoreFailures: flags.ignorePullFailures,
        signal: context.signal,
      });
      await follow(context, events, flags.quiet);
    });
}
