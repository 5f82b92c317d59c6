import type { Command } from "commander";
import { loadSelected } from "../../app/selection.ts";
import { type CliContext, print } from "../../context.ts";
import { addUpOptions, toUpOptions } from "./up.ts";

export function define(command: Command, context: CliContext): void {
  addUpOptions(command)
    .option("--format <format>", "json")
    .action(async (services: string[], flags: Parameters<typeof toUpOptions>[2] & { format?: string }) => {
      const { app } = await loadSelected(context, flags, services);
      const { plan, text } = await (await context.backend("apps")).plan(
        app,
        toUpOptions(app, services, flags, context),
      );
      print(context, flags.format === "json" ? JSON.stringify(plan, null, 2) : text);
    });
}
