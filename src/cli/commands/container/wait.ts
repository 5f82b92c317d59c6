import type { Command } from "commander";
import type { WaitCondition } from "../../../ports/engine.ts";
import type { CliContext } from "../../context.ts";
import { forEach } from "../../each.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container...>", "names or ids")
    .option("--condition <condition>", "not-running, next-exit or removed", "not-running")
    .action(async (names: string[], flags: { condition: WaitCondition }) => {
      const { containers } = await context.engine();
      await forEach(context, names, async name => {
        const { exitCode } = await containers.wait(name, { condition: flags.condition, signal: context.signal });
        return String(exitCode);
      });
    });
}
