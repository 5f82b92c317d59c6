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
    .option("-a, --all", "named ones too, not only anonymous ones")
    .option("-f, --force", "do not ask")
    .option("--filter <filter>", "label=…", collect, [])
    .action(async (flags: Flags) => {
      const which = flags.all ? "All volumes" : "All anonymous volumes";
      if (!flags.force) await confirm(context, `${which} that no container uses will be removed, with their data.`);
      const filters = { ...parseFilters(flags.filter), ...(flags.all ? { all: ["true"] } : {}) };
      const { removed, reclaimed_bytes } = await (await context.engine()).volumes.prune({
        filters,
        signal: context.signal,
      });
      for (const name of removed) print(context, name);
      print(context, `Reclaimed ${humanSize(reclaimed_bytes)}`);
    });
}
