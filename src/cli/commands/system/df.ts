import type { Command } from "commander";
import type { DiskUsage } from "../../../ports/engine.ts";
import { type CliContext, print } from "../../context.ts";
import { printRows } from "../../output/rows.ts";
import { humanSize } from "../../output/units.ts";

export function define(command: Command, context: CliContext): void {
  command
    .option("-v, --verbose", "each image, container and volume")
    .option("--format <format>", "table, json, or a Go template")
    .action(async (flags: { verbose?: boolean; format?: string }) => {
      const usage = await (await context.engine()).system.diskUsage({ signal: context.signal });
      printRows(context, totals(usage), flags.format, [
        ["TYPE", "Type"],
        ["TOTAL", "TotalCount"],
        ["ACTIVE", "Active"],
        ["SIZE", "Size"],
        ["RECLAIMABLE", "Reclaimable"],
      ]);
      if (flags.verbose) details(context, usage);
    });
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

function totals(usage: DiskUsage) {
  const unused = usage.images.filter(image => image.containers === 0);
  const stopped = usage.containers.filter(({ summary }) => summary.state.status !== "running");
  const idle = usage.volumes.filter(volume => volume.references === 0);
  const row = (Type: string, TotalCount: number, Active: number, size_bytes: number, free_bytes: number) => ({
    Type,
    TotalCount,
    Active,
    Size: humanSize(size_bytes),
    Reclaimable: `${humanSize(free_bytes)}${size_bytes > 0 ? ` (${Math.round((free_bytes / size_bytes) * 100)}%)` : ""}`,
  });
  return [
    row(
      "Images",
      usage.images.length,
      usage.images.length - unused.length,
      usage.layers_bytes,
      sum(unused.map(image => image.unique_bytes)),
    ),
    row(
      "Containers",
      usage.containers.length,
      usage.containers.length - stopped.length,
      sum(usage.containers.map(item => item.writable_bytes)),
      sum(stopped.map(item => item.writable_bytes)),
    ),
    row(
      "Volumes",
      usage.volumes.length,
      usage.volumes.length - idle.length,
      sum(usage.volumes.map(volume => volume.size_bytes)),
      sum(idle.map(volume => volume.size_bytes)),
    ),
  ];
}

function details(context: CliContext, usage: DiskUsage): void {
  print(context, "\nImages:");
  printRows(
    context,
    usage.images.map(({ image, shared_bytes, unique_bytes, containers }) => ({
      Name: image.tags[0] ?? image.id,
      Size: humanSize(image.size_bytes),
      Shared: humanSize(shared_bytes),
      Unique: humanSize(unique_bytes),
      Containers: containers,
    })),
    undefined,
    [
      ["NAME", "Name"],
      ["SIZE", "Size"],
      ["SHARED", "Shared"],
      ["UNIQUE", "Unique"],
      ["CONTAINERS", "Containers"],
    ],
  );
  print(context, "\nContainers:");
  printRows(
    context,
    usage.containers.map(({ summary, writable_bytes }) => ({
      Name: summary.name,
      Image: summary.image,
      Size: humanSize(writable_bytes),
      State: summary.state.status,
    })),
    undefined,
    [
      ["NAME", "Name"],
      ["IMAGE", "Image"],
      ["SIZE", "Size"],
      ["STATE", "State"],
    ],
  );
  print(context, "\nVolumes:");
  printRows(
    context,
    usage.volumes.map(volume => ({ Name: volume.name, Links: volume.references, Size: humanSize(volume.size_bytes) })),
    undefined,
    [
      ["NAME", "Name"],
      ["LINKS", "Links"],
      ["SIZE", "Size"],
    ],
  );
}
