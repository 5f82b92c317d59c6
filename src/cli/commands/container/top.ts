import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { renderTable } from "../../output/table.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container>", "name or id")
    .argument("[options...]", "options for ps, e.g. -o pid,cmd")
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (name: string, options: string[]) => {
      const { titles, processes } = await (await context.engine()).containers.top(name, options, {
        signal: context.signal,
      });
      print(context, renderTable(titles, processes));
    });
}
