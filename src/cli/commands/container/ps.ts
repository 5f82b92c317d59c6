import type { Command } from "commander";
import { shortId } from "../../../base/ids.ts";
import type { ContainerSummary } from "../../../model/container.ts";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseFilters } from "../../options/filters.ts";
import { containerStatus, portList } from "../../output/container.ts";
import { printRows } from "../../output/rows.ts";
import { ago, humanSize } from "../../output/units.ts";

interface Flags {
  all?: boolean;
  quiet?: boolean;
  trunc: boolean;
  last?: string;
  latest?: boolean;
  size?: boolean;
  filter: string[];
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .option("-a, --all", "also those that do not run")
    .option("-q, --quiet", "ids only")
    .option("-f, --filter <filter>", "name=…, status=…, label=…, ancestor=… and so on", collect, [])
    .option("-n, --last <number>", "the newest so many, in any state")
    .option("-l, --latest", "the newest one, in any state")
    .option("-s, --size", "with sizes on disk")
    .option("--no-trunc", "whole ids and commands")
    .option("--format <format>", "table, json, or a Go template such as '{{.Names}}'")
    .action((flags: Flags) => list(context, flags));
}

async function list(context: CliContext, flags: Flags): Promise<void> {
  const { containers } = await context.engine();
  const limit = flags.latest ? 1 : flags.last === undefined ? undefined : Number(flags.last);
  const all = flags.all || limit !== undefined;
  const found = await containers.list({ all, filters: parseFilters(flags.filter), limit, signal: context.signal });
  if (flags.quiet) {
    for (const item of found) print(context, flags.trunc ? shortId(item.id) : item.id);
    return;
  }
  const rows: Record<string, unknown>[] = [];
  for (const item of found) {
    const sizes = flags.size ? await containers.sizes(item.id) : undefined;
    rows.push({
      ...toRow(context, item, flags.trunc),
      Size: sizes ? `${humanSize(sizes.writable_bytes)} (virtual ${humanSize(sizes.rootfs_bytes)})` : "0B",
    });
  }
  printRows(context, rows, flags.format, [
    ["CONTAINER ID", "ID"],
    ["IMAGE", "Image"],
    ["COMMAND", "Command"],
    ["CREATED", "RunningFor"],
    ["STATUS", "Status"],
    ["PORTS", "Ports"],
    ["NAMES", "Names"],
    ...(flags.size ? ([["SIZE", "Size"]] as [string, string][]) : []),
  ]);
}

function toRow(context: CliContext, item: ContainerSummary, truncate: boolean): Record<string, unknown> {
  const now_ms = context.clock.now_ms();
  const command = item.args.join(" ");
  return {
    ID: truncate ? shortId(item.id) : item.id,
    Image: item.image,
    Command: JSON.stringify(truncate && command.length > 20 ? `${command.slice(0, 19)}…` : command),
    CreatedAt: item.createdAt,
    RunningFor: ago(item.createdAt, now_ms),
    Ports: portList(item.publishedPorts, item.exposedPorts),
    State: item.state.status,
    Status: containerStatus(item.state, now_ms),
    Names: item.name,
    Labels: Object.entries(item.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Mounts: item.mounts.map(mount => mount.name || mount.source).join(","),
    Networks: item.endpoints.map(endpoint => endpoint.networkName).join(",") || item.networkMode,
    LocalVolumes: String(item.mounts.filter(mount => mount.type === "volume").length),
  };
}
