import type { Command } from "commander";
import type { CliContext } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<image>", "name or id")
    .argument("<name>", "further name")
    .action(async (image: string, name: string) => {
      await (await context.engine()).images.tag(image, name, { signal: context.signal });
    });
}
