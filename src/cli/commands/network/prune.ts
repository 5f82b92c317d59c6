import type { Command } from "commander";
import { confirm } from "../../confirm.ts";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseFilters } from "../../options/filters.ts";

export function define(command: Command, context: CliContext): void {
  command
    .option("-f, --force", "do not ask")
    .option("--filter <filter>", "until=24h, label=…", collect, [])
    .action(async (flags: { force?: boolean; filter: string[] }) => {
      if (!flags.force) await confirm(context, "All networks that no container uses will be removed.");
      for (const name of await (await context.engine()).networks.prune({
        filters: parseFilters(flags.filter),
        signal: context.signal,
      }))
        print(context, name);
    });
}
