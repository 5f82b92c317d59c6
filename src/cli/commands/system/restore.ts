import { resolve } from "node:path";
import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import { confirm } from "../../confirm.ts";
import type { CliContext } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<file>", "what 'system backup' wrote")
    .option("-f, --force", "do not ask")
    .addHelpText(
      "after",
      "\nStops berthd (containers go on), puts the copy in the place of the state, and keeps that beside it. The next command starts berthd again,\nwhich goes on from there: 'berth why' says what is not as it was, and 'berth up' brings it back.",
    )
    .action(async (file: string, flags: { force?: boolean }) => {
      const path = resolve(context.cwd, file);
      if (!context.restoreStore)
        throw new BerthError("unsupported", `${context.program} keeps no state of apps`, { hint: "use 'berth'" });
      if (!flags.force) await confirm(context, `The state of all apps will be that of ${path}.`);
      const { kept } = await context.restoreStore(path);
      context.stderr.write(
        `The state is that of ${path}.${kept === undefined ? "" : ` What was there before is kept as ${kept}.`}\n`,
      );
    });
}
