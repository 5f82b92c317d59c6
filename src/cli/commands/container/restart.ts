import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { forEach } from "../../each.ts";
import { parseSeconds_ms } from "../../options/seconds.ts";
import { addStopOptions, type StopFlags } from "./stop.ts";

export function define(command: Command, context: CliContext): void {
  addStopOptions(command).action(async (names: string[], flags: StopFlags) => {
    const { containers } = await context.engine();
    const options = {
      timeout_ms: parseSeconds_ms(flags.time, "--time"),
      stopSignal: flags.signal,
      signal: context.signal,
    };
    await forEach(context, names, async name => void (await containers.restart(name, options)));
  });
}
