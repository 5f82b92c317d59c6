import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { forEach } from "../../each.ts";
import { parseSeconds_ms } from "../../options/seconds.ts";

export interface StopFlags {
  time?: string;
  signal?: string;
}

export function addStopOptions(command: Command): Command {
  return command
    .argument("<container...>", "names or ids")
    .option("-t, --time <seconds>", "time to end by itself before it is killed; -1 waits for ever")
    .option("-s, --signal <signal>", "signal instead of the container's own");
}

export function define(command: Command, context: CliContext): void {
  addStopOptions(command).action(async (names: string[], flags: StopFlags) => {
    const { containers } = await context.engine();
    const options = {
      timeout_ms: parseSeconds_ms(flags.time, "--time"),
      stopSignal: flags.signal,
      signal: context.signal,
    };
    await forEach(context, names, async name => void (await containers.stop(name, options)));
  });
}
