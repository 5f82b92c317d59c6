import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { forEach } from "../../each.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container...>", "names or ids")
    .option("-s, --signal <signal>", "signal to send", "KILL")
    .action(async (names: string[], flags: { signal: string }) => {
      const { containers } = await context.engine();
      await forEach(
        context,
        names,
        async name => void (await containers.kill(name, flags.signal, { signal: context.signal })),
      );
    });
}
