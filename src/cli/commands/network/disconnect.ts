import type { Command } from "commander";
import type { CliContext } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<network>", "name or id")
    .argument("<container>", "name or id")
    .option("-f, --force", "also a container that is gone")
    .action(async (network: string, container: string, flags: { force?: boolean }) => {
      await (await context.engine()).networks.disconnect(network, container, {
        force: flags.force,
        signal: context.signal,
      });
    });
}
