import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";

const letters = { modified: "C", added: "A", deleted: "D" } as const;

export function define(command: Command, context: CliContext): void {
  command.argument("<container>", "name or id").action(async (name: string) => {
    for (const change of await (await context.engine()).containers.changes(name, { signal: context.signal })) {
      print(context, `${letters[change.kind]} ${change.path}`);
    }
  });
}
