import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { madeTasks } from "../../app/tasks.ts";
import type { CliContext } from "../../context.ts";
import { watchStats } from "../container/stats.ts";

interface Flags extends AppFlags {
  all?: boolean;
  stream: boolean;
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named"))
    .option("-a, --all", "also those that do not run")
    .option("--no-stream", "one reading only")
    .option("--format <format>", "table, json, or a Go template")
    .action(async (services: string[], flags: Flags) => {
      const tasks = await madeTasks(context, flags, services);
      const shown = tasks.filter(({ state }) => flags.all || state === "running");
      if (shown.length === 0) throw new BerthError("not_found", "no task of the app is running");
      await watchStats(
        context,
        shown.map(({ containerId }) => containerId),
        flags,
      );
    });
}
