import type { Command } from "commander";
import { shortId } from "../../../base/ids.ts";
import type { CliContext } from "../../context.ts";
import { printRows } from "../../output/rows.ts";
import { ago, humanSize } from "../../output/units.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<image>", "name or id")
    .option("--no-trunc", "whole lines")
    .option("--format <format>", "table, json, or a Go template")
    .action(async (name: string, flags: { trunc: boolean; format?: string }) => {
      const lines = await (await context.engine()).images.history(name, { signal: context.signal });
      const now_ms = context.clock.now_ms();
      const rows = lines.map(line => {
        const by = line.created_by ?? "";
        return {
          ID: flags.trunc && line.id.startsWith("sha256:") ? shortId(line.id) : line.id,
          CreatedSince: ago(line.created, now_ms),
          CreatedBy: flags.trunc && by.length > 45 ? `${by.slice(0, 44)}…` : by,
          Size: humanSize(line.size_bytes),
          Comment: line.comment ?? "",
        };
      });
      printRows(context, rows, flags.format, [
        ["IMAGE", "ID"],
        ["CREATED", "CreatedSince"],
        ["CREATED BY", "CreatedBy"],
        ["SIZE", "Size"],
        ["COMMENT", "Comment"],
      ]);
    });
}
