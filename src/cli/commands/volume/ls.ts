import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseFilters } from "../../options/filters.ts";
import { printRows } from "../../output/rows.ts";

interface Flags {
  quiet?: boolean;
  filter: string[];
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .option("-q, --quiet", "names only")
    .option("-f, --filter <filter>", "name=…, label=…, dangling=true", collect, [])
    .option("--format <format>", "table, json, or a Go template")
    .action((flags: Flags) => list(context, flags));
}

async function list(context: CliContext, flags: Flags): Promise<void> {
  const { volumes } = await context.engine();
  const filters = parseFilters(flags.filter);
  const all = await volumes.list();
  const kept = [];
  for (const volume of all) {
    const byName = filters["name"]?.some(part => volume.name.includes(part)) ?? true;
    const byDriver = filters["driver"]?.includes(volume.driver) ?? true;
    const byLabel = (filters["label"] ?? []).every(label => {
      const [key = "", ...value] = label.split("=");
      return key in volume.labels && (value.length === 0 || volume.labels[key] === value.join("="));
    });
    if (!byName || !byDriver || !byLabel) continue;
    const dangling = filters["dangling"]?.[0];
    if (
      dangling !== undefined &&
      ((await volumes.users(volume.name)).length === 0) !== (dangling === "true" || dangling === "1")
    )
      continue;
    kept.push({
      Driver: volume.driver,
      Name: volume.name,
      Mountpoint: volume.mountpoint,
      CreatedAt: volume.createdAt,
      Scope: "local",
    });
  }
  if (flags.quiet) {
    for (const row of kept) print(context, row.Name);
    return;
  }
  printRows(context, kept, flags.format, [
    ["DRIVER", "Driver"],
    ["VOLUME NAME", "Name"],
  ]);
}
