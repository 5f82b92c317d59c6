import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { printInspected } from "../../output/rows.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<network...>", "names or ids")
    .option("-f, --format <format>", "Go template, e.g. '{{(index .pools 0).subnet}}'")
    .action(async (names: string[], flags: { format?: string }) => {
      const { networks } = await context.engine();
      const found = names.map(async name => {
        const network = await networks.get(name);
        return { ...network, members: await networks.members(network.id) };
      });
      printInspected(context, await Promise.all(found), flags.format);
    });
}
