import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { printInspected } from "../../output/rows.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<volume...>", "names")
    .option("-f, --format <format>", "Go template, e.g. '{{.mountpoint}}'")
    .action(async (names: string[], flags: { format?: string }) => {
      const { volumes } = await context.engine();
      const found = names.map(async name => ({ ...(await volumes.get(name)), users: await volumes.users(name) }));
      printInspected(context, await Promise.all(found), flags.format);
    });
}
