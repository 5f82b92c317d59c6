import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { printInspected } from "../../output/rows.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container...>", "names or ids")
    .option("-f, --format <format>", "Go template, e.g. '{{.state.status}}'")
    .action(async (names: string[], flags: { format?: string }) => {
      const { containers } = await context.engine();
      printInspected(context, await Promise.all(names.map(name => containers.inspect(name))), flags.format);
    });
}
