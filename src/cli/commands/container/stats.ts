import type { Command } from "commander";
import { isCode } from "../../../base/errors.ts";
import { shortId } from "../../../base/ids.ts";
import type { ContainerSummary } from "../../../model/container.ts";
import type { ContainerStats } from "../../../ports/engine.ts";
import type { CliContext, CliEngine } from "../../context.ts";
import { printRows } from "../../output/rows.ts";
import { binarySize, humanSize } from "../../output/units.ts";

interface Flags {
  all?: boolean;
  stream: boolean;
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("[container...]", "names or ids; all running ones if none is given")
    .option("-a, --all", "also those that do not run")
    .option("--no-stream", "one reading only")
    .option("--format <format>", "table, json, or a Go template")
    .action((names: string[], flags: Flags) => watchStats(context, names, flags));
}

type Reading = { item: ContainerSummary; stats: ContainerStats };

/** Shows what containers use, once a second, or once only. */
export async function watchStats(context: CliContext, names: string[], flags: Flags): Promise<void> {
  const engine = await context.engine();
  let before = await readAll(engine, names, flags);
  for (;;) {
    await context.clock.sleep(1000, { signal: context.signal });
    const now = await readAll(engine, names, flags);
    const previous = new Map(before.map(reading => [reading.item.id, reading.stats]));
    if (flags.stream && context.stdout.isTTY) context.stdout.write("\x1b[2J\x1b[H");
    printRows(
      context,
      now.map(reading => toRow(reading, previous.get(reading.item.id))),
      flags.format,
      [
        ["CONTAINER ID", "ID"],
        ["NAME", "Name"],
        ["CPU %", "CPUPerc"],
        ["MEM USAGE / LIMIT", "MemUsage"],
        ["MEM %", "MemPerc"],
        ["NET I/O", "NetIO"],
        ["BLOCK I/O", "BlockIO"],
        ["PIDS", "PIDs"],
      ],
    );
    if (!flags.stream) return;
    before = now;
  }
}

async function readAll(engine: CliEngine, names: string[], flags: Flags): Promise<Reading[]> {
  const listed = await engine.containers.list({ all: flags.all || names.length > 0 });
  const wanted =
    names.length === 0
      ? listed
      : await Promise.all(
          names.map(async name => {
            const { id } = await engine.containers.inspect(name);
            return listed.find(item => item.id === id)!;
          }),
        );
  const readings = await Promise.all(
    wanted.map(async item => {
      try {
        return { item, stats: await engine.containers.stats(item.id) };
      } catch (thrown) {
        // Ended since it was listed.
        if (isCode(thrown, "not_found", "conflict")) return undefined;
        throw thrown;
      }
    }),
  );
  return readings.filter(reading => reading !== undefined);
}

function toRow({ item, stats }: Reading, before: ContainerStats | undefined): Record<string, unknown> {
  const system_ns = before ? stats.systemCpu_ns - before.systemCpu_ns : 0;
  const cpu =
    before && system_ns > 0 ? ((stats.cpuTotal_ns - before.cpuTotal_ns) / system_ns) * stats.onlineCpus * 100 : 0;
  const networks = Object.values(stats.networks);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const io = (op: "Read" | "Write") => sum(stats.blockIo.filter(entry => entry.op === op).map(entry => entry.bytes));
  const cache = stats.memoryDetails["inactive_file"] ?? stats.memoryDetails["total_inactive_file"] ?? 0;
  const used = Math.max(0, stats.memoryUsage_bytes - cache);
  return {
    ID: shortId(item.id),
    Container: shortId(item.id),
    Name: item.name,
    CPUPerc: `${Math.max(0, cpu).toFixed(2)}%`,
    MemUsage: `${binarySize(used)} / ${binarySize(stats.memoryLimit_bytes)}`,
    MemPerc: `${stats.memoryLimit_bytes > 0 ? ((used / stats.memoryLimit_bytes) * 100).toFixed(2) : "0.00"}%`,
    NetIO: `${humanSize(sum(networks.map(net => net.rxBytes)))} / ${humanSize(sum(networks.map(net => net.txBytes)))}`,
    BlockIO: `${humanSize(io("Read"))} / ${humanSize(io("Write"))}`,
    PIDs: String(stats.pids),
  };
}
