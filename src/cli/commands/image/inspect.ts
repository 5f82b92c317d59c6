import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { printInspected } from "../../output/rows.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<image...>", "names or ids")
    .option("-f, --format <format>", "Go template, e.g. '{{.id}}'")
    .action(async (names: string[], flags: { format?: string }) => {
      const { images } = await context.engine();
      printInspected(context, await Promise.all(names.map(name => images.get(name))), flags.format);
    });
}
