import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import type { CliContext } from "../../context.ts";
import { parseTime_ms } from "../../output/units.ts";

interface Flags {
  follow?: boolean;
  since?: string;
  until?: string;
  tail: string;
  timestamps?: boolean;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container>", "name or id")
    .option("-f, --follow", "go on as more is written")
    .option("--since <time>", "from a time (2026-01-31T10:00:00Z) or span (10m)")
    .option("--until <time>", "up to a time or span")
    .option("-n, --tail <lines>", "so many lines from the end, or all", "all")
    .option("-t, --timestamps", "with the time of each line")
    .action((name: string, flags: Flags) => show(context, name, flags));
}

async function show(context: CliContext, name: string, flags: Flags): Promise<void> {
  const now_ms = context.clock.now_ms();
  if (flags.tail !== "all" && !/^\d+$/.test(flags.tail))
    throw new BerthError("invalid", `--tail "${flags.tail}" is neither a number nor all`);
  const records = (await context.engine()).containers.logs(name, {
    stdout: true,
    stderr: true,
    follow: flags.follow,
    since_ms: flags.since === undefined ? undefined : parseTime_ms(flags.since, now_ms, "--since"),
    until_ms: flags.until === undefined ? undefined : parseTime_ms(flags.until, now_ms, "--until"),
    tail: flags.tail === "all" ? undefined : Number(flags.tail),
    signal: context.signal,
  });
  for await (const record of records) {
    const target = record.stream === "stderr" ? context.stderr : context.stdout;
    if (flags.timestamps) target.write(`${record.time} `);
    if (!target.write(record.data)) await new Promise(resolve => target.once("drain", resolve));
  }
}
