import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { selectedName } from "../../app/selection.ts";
import { type CliContext, print } from "../../context.ts";
import { printRows } from "../../output/rows.ts";
import { ago } from "../../output/units.ts";

interface Flags extends AppFlags {
  diff?: boolean;
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command)
    .option("--diff", "what each version changed")
    .option("--format <format>", "table, json, or a Go template")
    .action(async (flags: Flags) => {
      const versions = await (await context.backend("apps")).history(await selectedName(context, flags), {
        signal: context.signal,
      });
      const now_ms = context.clock.now_ms();
      const rows = versions.map(version => ({
        ...version,
        Version: version.version,
        Who: version.who,
        When: ago(new Date(version.at_ms).toISOString(), now_ms),
        Outcome: version.outcome + (version.outcomeMessage ? `: ${version.outcomeMessage}` : ""),
        Message: version.message || (version.rollbackTo === undefined ? "" : `rollback to ${version.rollbackTo}`),
      }));
      printRows(context, rows, flags.format, [
        ["VERSION", "Version"],
        ["WHO", "Who"],
        ["WHEN", "When"],
        ["MESSAGE", "Message"],
        ["OUTCOME", "Outcome"],
      ]);
      if (!flags.diff) return;
      for (const version of versions)
        print(
          context,
          `\nVersion ${version.version}:\n${version.diff.map(line => `  ${line}`).join("\n") || "  nothing"}`,
        );
    });
}
