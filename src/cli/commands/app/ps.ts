import type { Command } from "commander";
import type { TaskView } from "../../../ports/apps.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { selectedName } from "../../app/selection.ts";
import { type CliContext, print } from "../../context.ts";
import { portList } from "../../output/container.ts";
import { familiarName } from "../../output/image-names.ts";
import { printRows } from "../../output/rows.ts";
import { ago } from "../../output/units.ts";

interface Flags extends AppFlags {
  all?: boolean;
  quiet?: boolean;
  services?: boolean;
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "only these"))
    .option("-a, --all", "with those of the history")
    .option("-q, --quiet", "ids of containers only")
    .option("--services", "names of services only")
    .option("--format <format>", "table, json, or a Go template")
    .action((services: string[], flags: Flags) => list(context, services, flags));
}

async function list(context: CliContext, services: string[], flags: Flags): Promise<void> {
  const name = await selectedName(context, flags);
  const tasks = await (await context.backend("apps")).ps(name, {
    services: services.length > 0 ? services : undefined,
    all: flags.all,
    signal: context.signal,
  });
  if (flags.quiet || flags.services) {
    const lines = tasks
      .map(task => (flags.services ? task.service : task.containerId))
      .filter(line => line !== undefined);
    for (const line of new Set(lines)) print(context, line);
    return;
  }
  const now_ms = context.clock.now_ms();
  printRows(
    context,
    tasks.map(task => toRow(task, now_ms)),
    flags.format,
    [
      ["NAME", "Name"],
      ["SERVICE", "Service"],
      ["IMAGE", "Image"],
      ["STATE", "Status"],
      ["CREATED", "RunningFor"],
      ["PORTS", "Ports"],
    ],
  );
}

function toRow(task: TaskView, now_ms: number): Record<string, unknown> {
  const health = task.health && task.state === "running" ? ` (${task.health.status})` : "";
  const code = task.exitCode === undefined || task.state === "running" ? "" : ` (${task.exitCode})`;
  const waits = task.waits.length > 0 ? `: waits for ${task.waits.join(", ")}` : "";
  return {
    ...task,
    Name: task.name,
    Service: task.service,
    Image: familiarName(task.image),
    Status: `${task.paused ? "paused" : task.state}${code}${health}${waits}`,
    State: task.state,
    Health: task.health?.status ?? "",
    ExitCode: task.exitCode ?? 0,
    RunningFor: ago(task.startedAt ?? new Date(task.createdAt_ms).toISOString(), now_ms),
    Ports: portList(task.ports, []),
    ID: task.containerId ?? "",
  };
}
