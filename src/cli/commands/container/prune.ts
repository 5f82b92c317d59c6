import type { Command } from "commander";
import { confirm } from "../../confirm.ts";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseFilters } from "../../options/filters.ts";
import { humanSize } from "../../output/units.ts";

export function define(command: Command, context: CliContext): void {
  command
    .option("-f, --force", "do not ask")
    .option("--filter <filter>", "until=24h, label=…", collect, [])
    .action(async (flags: { force?: boolean; filter: string[] }) => {
      if (!flags.force) await confirm(context, "All stopped containers will be removed.");
      const { removed, reclaimed_bytes } = await (await context.engine()).containers.prune({
        filters: parseFilters(flags.filter),
        signal: context.signal,
      });
      for (const id of removed) print(context, id);
      print(context, `Reclaimed ${humanSize(reclaimed_bytes)}`);
    });
}
