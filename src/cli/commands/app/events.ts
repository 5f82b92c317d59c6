import type { Command } from "commander";
import type { AppEvent } from "../../../ports/apps.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { selectedName } from "../../app/selection.ts";
import { type CliContext, print } from "../../context.ts";

interface Flags extends AppFlags {
  json?: boolean;
  all?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named"))
    .option("--json", "one JSON object a line")
    .option("-a, --all", "of all apps")
    .action(async (services: string[], flags: Flags) => {
      const name = flags.all ? undefined : await selectedName(context, flags);
      const events = (await context.backend("apps")).events(name, { signal: context.signal });
      for await (const event of events) {
        if (services.length > 0 && !("service" in event && services.includes(event.service))) continue;
        const time = new Date(context.clock.now_ms()).toISOString();
        print(context, flags.json ? JSON.stringify({ time, ...event }) : `${time} ${describe(event)}`);
      }
    });
}

function describe(event: AppEvent): string {
  switch (event.type) {
    case "task": {
      const health = event.health && event.state === "running" ? ` (${event.health.status})` : "";
      return `task ${event.name} ${event.state}${health}${event.message ? `: ${event.message}` : ""}`;
    }
    case "waiting":
      return `task ${event.name} waits: ${event.reason}`;
    case "resource":
      return `${event.kind} ${event.name} ${event.state}${event.message ? `: ${event.message}` : ""}`;
    case "image":
      return `image ${event.reference} ${event.status}`;
    case "plan":
      return `app ${event.plan.app} planned version ${event.plan.toVersion}`;
    case "done":
      return `app ${event.app} ${event.outcome}${event.message ? `: ${event.message}` : ""}`;
    case "container":
      return `container ${event.name} made`;
  }
}
