import type { Command } from "commander";
import { confirm } from "../../confirm.ts";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseFilters } from "../../options/filters.ts";
import { humanSize } from "../../output/units.ts";

interface Flags {
  all?: boolean;
  force?: boolean;
  filter: string[];
}

export function define(command: Command, context: CliContext): void {
  command
    .option("-a, --all", "all that no container uses, not only those without a name")
    .option("-f, --force", "do not ask")
    .option("--filter <filter>", "until=24h, label=…", collect, [])
    .action(async (flags: Flags) => {
      const which = flags.all ? "that no container uses" : "without a name";
      if (!flags.force) await confirm(context, `All images ${which} will be removed.`);
      const filters = { ...parseFilters(flags.filter), ...(flags.all ? { dangling: ["false"] } : {}) };
      const pruned = await (await context.engine()).images.prune({ filters, signal: context.signal });
      for (const name of pruned.untagged) print(context, `untagged: ${name}`);
      for (const id of pruned.deleted) print(context, `deleted: ${id}`);
      print(context, `Reclaimed ${humanSize(pruned.reclaimed_bytes)}`);
    });
}
