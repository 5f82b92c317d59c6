import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { printRows } from "../../output/rows.ts";
import { humanDuration, humanSize } from "../../output/units.ts";

export function define(command: Command, context: CliContext): void {
  command.option("--format <format>", "table, json, or a Go template").action(async (flags: { format?: string }) => {
    const now_ms = context.clock.now_ms();
    const rows = (await (await context.backend("builder")).cacheUsage({ signal: context.signal })).map(record => ({
      ID: record.id.slice(0, 12),
      Kind: record.kind,
      Size: humanSize(record.size_bytes),
      LastUsed: `${humanDuration(now_ms - record.lastUsedAt_ms)} ago`,
      InUse: record.inUse,
      Description: record.description.slice(0, 60),
    }));
    printRows(context, rows, flags.format, [
      ["ID", "ID"],
      ["KIND", "Kind"],
      ["SIZE", "Size"],
      ["LAST USED", "LastUsed"],
      ["DESCRIPTION", "Description"],
    ]);
  });
}
