import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { showLogs } from "../../app/logs.ts";
import { selectedName } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";
import { parseTime_ms } from "../../output/units.ts";

interface Flags extends AppFlags {
  follow?: boolean;
  tail: string;
  since?: string;
  until?: string;
  timestamps?: boolean;
  color: boolean;
  logPrefix: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named"), { short: false })
    .option("-f, --follow", "go on as more is written")
    .option("-n, --tail <lines>", "so many lines from the end of each, or all", "all")
    .option("--since <time>", "from a time or span (10m)")
    .option("--until <time>", "up to a time or span")
    .option("-t, --timestamps", "with times")
    .option("--no-color", "without colours")
    .option("--no-log-prefix", "without the tasks' names")
    .action(async (services: string[], flags: Flags) => {
      const now_ms = context.clock.now_ms();
      await showLogs(context, await selectedName(context, flags), services, {
        follow: flags.follow,
        tail: flags.tail === "all" ? undefined : Number(flags.tail),
        since_ms: flags.since === undefined ? undefined : parseTime_ms(flags.since, now_ms, "--since"),
        until_ms: flags.until === undefined ? undefined : parseTime_ms(flags.until, now_ms, "--until"),
        timestamps: flags.timestamps,
        color: flags.color ? undefined : false,
        prefix: flags.logPrefix,
      });
    });
}
