import type { Command } from "commander";
import type { EngineEvent } from "../../../model/event.ts";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseFilters } from "../../options/filters.ts";
import { compileTemplate } from "../../output/template.ts";
import { parseTime_ms } from "../../output/units.ts";

interface Flags {
  since?: string;
  until?: string;
  filter: string[];
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .option("--since <time>", "from a time or span (10m)")
    .option("--until <time>", "up to a time or span")
    .option("-f, --filter <filter>", "type=container, event=die, container=web …", collect, [])
    .option("--format <format>", "json, or a Go template")
    .action((flags: Flags) => follow(context, flags));
}

async function follow(context: CliContext, flags: Flags): Promise<void> {
  const now_ms = context.clock.now_ms();
  const render = flags.format === undefined || flags.format === "json" ? undefined : compileTemplate(flags.format);
  const events = (await context.engine()).system.events({
    since_ms: flags.since === undefined ? undefined : parseTime_ms(flags.since, now_ms, "--since"),
    until_ms: flags.until === undefined ? undefined : parseTime_ms(flags.until, now_ms, "--until"),
    filters: parseFilters(flags.filter),
    signal: context.signal,
  });
  for await (const event of events) {
    print(context, flags.format === "json" ? JSON.stringify(event) : render ? render(event) : line(event));
  }
}

function line(event: EngineEvent): string {
  const attributes = Object.entries(event.attributes).map(([key, value]) => `${key}=${value}`);
  return `${new Date(event.time_ms).toISOString()} ${event.type} ${event.action} ${event.id}${attributes.length > 0 ? ` (${attributes.join(", ")})` : ""}`;
}
