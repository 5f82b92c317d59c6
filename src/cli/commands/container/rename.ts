import type { Command } from "commander";
import type { CliContext } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container>", "name or id")
    .argument("<name>", "new name")
    .action(async (container: string, name: string) => {
      await (await context.engine()).containers.rename(container, name, { signal: context.signal });
    });
}
