import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { printRows } from "../../output/rows.ts";
import { ago } from "../../output/units.ts";

export function define(command: Command, context: CliContext): void {
  command
    .option("-a, --all", "also those that are down")
    .option("-q, --quiet", "names only")
    .option("--format <format>", "table, json, or a Go template")
    .action(async (flags: { all?: boolean; quiet?: boolean; format?: string }) => {
      const found = await (await context.backend("apps")).ls({ all: flags.all, signal: context.signal });
      if (flags.quiet) {
        for (const app of found) print(context, app.name);
        return;
      }
      const now_ms = context.clock.now_ms();
      const rows = found.map(app => ({
        Name: app.name,
        Version: app.version,
        Outcome: app.outcome,
        Services: Object.entries(app.services)
          .map(([name, service]) => `${name} ${service.running}/${service.wanted}`)
          .join(", "),
        Changed: ago(new Date(app.changedAt_ms).toISOString(), now_ms),
        ConfigFiles: app.files.join(","),
      }));
      printRows(context, rows, flags.format, [
        ["NAME", "Name"],
        ["VERSION", "Version"],
        ["OUTCOME", "Outcome"],
        ["CHANGED", "Changed"],
        ["SERVICES", "Services"],
      ]);
    });
}
