import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { selectedName } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";

interface Flags extends AppFlags {
  message?: string;
  yes?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[version]", "version to go back to (default: the one before)"))
    .option("-m, --message <text>", "why, for the history")
    .option("-y, --yes", "also where data is lost")
    .action(async (version: string | undefined, flags: Flags) => {
      const name = await selectedName(context, flags);
      const apps = await context.backend("apps");
      const target = version === undefined ? ((await apps.history(name))[1]?.version ?? 0) : Number(version);
      if (!(target > 0))
        throw new BerthError(
          "invalid",
          version === undefined ? `${name} has no earlier version` : `"${version}" is no version`,
          { hint: `'${context.program} history' lists them` },
        );
      const done = await follow(
        context,
        apps.rollback(name, target, { message: flags.message, allowDestructive: flags.yes, signal: context.signal }),
      );
      context.stderr.write(`${name}: ${done?.outcome ?? ""} ${done?.message ?? ""}\n`);
    });
}
