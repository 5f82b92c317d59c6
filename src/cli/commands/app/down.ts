import { type Command, Option } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { selectedName } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";
import { parseSeconds_ms } from "../../options/seconds.ts";

interface Flags extends AppFlags {
  volumes?: boolean;
  rmi?: "local" | "all";
  timeout?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command)
    .option("-v, --volumes", "remove its volumes too, with their data")
    .addOption(
      new Option("--rmi <which>", "remove images: those without a name of their own, or all").choices(["local", "all"]),
    )
    .option("-t, --timeout <seconds>", "time for each task to end by itself")
    .action(async (flags: Flags) => {
      const name = await selectedName(context, flags);
      const apps = await context.backend("apps");
      const options = {
        volumes: flags.volumes,
        images: flags.rmi,
        stopTimeout_ms: parseSeconds_ms(flags.timeout, "--timeout"),
        signal: context.signal,
      };
      const done = await follow(context, apps.down(name, options));
      context.stderr.write(`${name}: ${done?.outcome ?? "down"}${done?.message ? `: ${done.message}` : ""}\n`);
    });
}
