import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { parseScale } from "../../app/scale.ts";
import { selectedName } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("<service=number...>", "numbers of tasks")).action(
    async (pairs: string[], flags: AppFlags) => {
      const name = await selectedName(context, flags);
      await follow(context, (await context.backend("apps")).scale(name, parseScale(pairs), { signal: context.signal }));
    },
  );
}
