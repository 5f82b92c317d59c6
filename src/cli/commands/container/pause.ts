import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { forEach } from "../../each.ts";

export function define(command: Command, context: CliContext): void {
  command.argument("<container...>", "names or ids").action(async (names: string[]) => {
    const { containers } = await context.engine();
    await forEach(context, names, async name => void (await containers.pause(name, { signal: context.signal })));
  });
}
