import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .option("--short", "the program's version only")
    .option("--host", "ask berthd too")
    .option("--format <format>", "json")
    .action(async (flags: { short?: boolean; host?: boolean; format?: string }) => {
      if (flags.short) return print(context, `${context.program} ${context.version}`);
      const host = flags.host ? (await (await context.engine()).system.info()).version : undefined;
      if (flags.format === "json")
        return print(context, JSON.stringify({ program: context.version, host, node: process.version }));
      print(context, `${context.program} ${context.version} (Node ${process.version})`);
      if (host !== undefined) print(context, `berthd ${host}`);
    });
}
