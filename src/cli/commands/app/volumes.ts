import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { selectedName } from "../../app/selection.ts";
import { type CliContext, print } from "../../context.ts";
import { printRows } from "../../output/rows.ts";

interface Flags extends AppFlags {
  quiet?: boolean;
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command)
    .option("-q, --quiet", "names only")
    .option("--format <format>", "table, json, or a Go template")
    .action(async (flags: Flags) => {
      const name = await selectedName(context, flags);
      const all = await (await context.engine()).volumes.list();
      const own = all.filter(({ labels }) => labels["com.docker.compose.project"] === name);
      if (flags.quiet) {
        for (const volume of own) print(context, volume.name);
        return;
      }
      const rows = own.map(({ driver, name: Name }) => ({ Driver: driver, Name }));
      printRows(context, rows, flags.format, [
        ["DRIVER", "Driver"],
        ["VOLUME NAME", "Name"],
      ]);
    });
}
