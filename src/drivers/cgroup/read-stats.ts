import { readFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { CgroupStats } from "../../ports/cgroups.ts";
import { type CgroupHierarchy, groupExists } from "./hierarchy.ts";
import { type BlockIo, parseBlkio, parseIoStat, parseKeyed, parseLimit, parseSystemTicks } from "./parse.ts";

/** USER_HZ, which is 100 on every architecture that we know. */
const tick_ns = 1e9 / 100;

/** Reads a file of the group; "" where the controller or the file is not there. */
export type ReadGroupFile = (controller: string, file: string) => Promise<string>;

/** One reading of a group's counters. Throws `not_found` where there is no such group. */
export async function readStats(hierarchy: CgroupHierarchy, path: string): Promise<CgroupStats> {
  if (!groupExists(hierarchy, path)) throw new BerthError("not_found", `there is no control group ${path}`);
  const read: ReadGroupFile = (controller, file) => readGroupFile(hierarchy, path, controller, file);
  const host = {
    systemCpu_ns: parseSystemTicks(await readFile("/proc/stat", "utf8")) * tick_ns,
    onlineCpus: cpus().length,
    memory_bytes: totalmem(),
  };
  return hierarchy.version === 2 ? statsOfVersion2(read, host) : statsOfVersion1(read, host);
}

export interface HostCounters {
  systemCpu_ns: number;
  onlineCpus: number;
  memory_bytes: number;
}

export async function statsOfVersion2(read: ReadGroupFile, host: HostCounters): Promise<CgroupStats> {
  const [cpuText, memoryText, usage, limit, peak, events, pids, pidsMax, io] = await Promise.all([
    read("cpu", "cpu.stat"),
    read("memory", "memory.stat"),
    read("memory", "memory.current"),
    read("memory", "memory.max"),
    read("memory", "memory.peak"),
    read("memory", "memory.events"),
    read("pids", "pids.current"),
    read("pids", "pids.max"),
    read("io", "io.stat"),
  ]);
  const cpu = parseKeyed(cpuText);
  const from_us = (key: string) => (cpu[key] ?? 0) * 1000;
  return {
    cpuTotal_ns: from_us("usage_usec"),
    cpuUser_ns: from_us("user_usec"),
    cpuKernel_ns: from_us("system_usec"),
    systemCpu_ns: host.systemCpu_ns,
    onlineCpus: host.onlineCpus,
    throttling: {
      periods: cpu["nr_periods"] ?? 0,
      throttledPeriods: cpu["nr_throttled"] ?? 0,
      throttled_ns: from_us("throttled_usec"),
    },
    ...memoryPart({
      usage,
      limit,
      peak,
      failures: parseKeyed(events)["max"],
      details: memoryText,
      most: host.memory_bytes,
    }),
    ...pidsPart(pids, pidsMax),
    blockIo: parseIoStat(io),
  };
}

export async function statsOfVersion1(read: ReadGroupFile, host: HostCounters): Promise<CgroupStats> {
  const [usage_ns, perCore, stat, throttle, memoryText, usage, limit, peak, failures, pids, pidsMax, io] =
    await Promise.all([
      read("cpuacct", "cpuacct.usage"),
      read("cpuacct", "cpuacct.usage_percpu"),
      read("cpuacct", "cpuacct.stat"),
      read("cpu", "cpu.stat"),
      read("memory", "memory.stat"),
      read("memory", "memory.usage_in_bytes"),
      read("memory", "memory.limit_in_bytes"),
      read("memory", "memory.max_usage_in_bytes"),
      read("memory", "memory.failcnt"),
      read("pids", "pids.current"),
      read("pids", "pids.max"),
      readBlkio(read),
    ]);
  const ticks = parseKeyed(stat);
  const periods = parseKeyed(throttle);
  return {
    cpuTotal_ns: Number(usage_ns) || 0,
    cpuUser_ns: (ticks["user"] ?? 0) * tick_ns,
    cpuKernel_ns: (ticks["system"] ?? 0) * tick_ns,
    cpuPerCore_ns: perCore.trim().split(/\s+/).filter(Boolean).map(Number),
    systemCpu_ns: host.systemCpu_ns,
    onlineCpus: host.onlineCpus,
    throttling: {
      periods: periods["nr_periods"] ?? 0,
      throttledPeriods: periods["nr_throttled"] ?? 0,
      throttled_ns: periods["throttled_time"] ?? 0,
    },
    ...memoryPart({
      usage,
      limit,
      peak,
      failures: Number(failures) || 0,
      details: memoryText,
      most: host.memory_bytes,
    }),
    ...pidsPart(pids, pidsMax),
    blockIo: io,
  };
}

function memoryPart(input: {
  usage: string;
  limit: string;
  peak: string;
  failures: number | undefined;
  details: string;
  most: number;
}): Pick<
  CgroupStats,
  "memoryUsage_bytes" | "memoryLimit_bytes" | "memoryMax_bytes" | "memoryFailures" | "memoryDetails"
> {
  const peak = parseLimit(input.peak);
  return {
    memoryUsage_bytes: parseLimit(input.usage) ?? 0,
    // No limit is the host's memory: there is no more to have.
    memoryLimit_bytes: Math.min(parseLimit(input.limit) ?? input.most, input.most),
    ...(peak === undefined ? {} : { memoryMax_bytes: peak }),
    ...(input.failures === undefined ? {} : { memoryFailures: input.failures }),
    memoryDetails: parseKeyed(input.details),
  };
}

function pidsPart(current: string, most: string): Pick<CgroupStats, "pids" | "pidsLimit"> {
  const limit = parseLimit(most);
  return { pids: parseLimit(current) ?? 0, ...(limit === undefined ? {} : { pidsLimit: limit }) };
}

/** The recursive files count what is in groups below, too; older kernels have only the others. */
async function readBlkio(read: ReadGroupFile): Promise<BlockIo[]> {
  for (const suffix of ["_recursive", ""]) {
    const bytes = await read("blkio", `blkio.throttle.io_service_bytes${suffix}`);
    if (bytes !== "") return parseBlkio(bytes, await read("blkio", `blkio.throttle.io_serviced${suffix}`));
  }
  return [];
}

async function readGroupFile(
  hierarchy: CgroupHierarchy,
  path: string,
  controller: string,
  file: string,
): Promise<string> {
  const mount = hierarchy.version === 2 ? hierarchy.mount : hierarchy.mounts.get(controller);
  if (mount === undefined) return "";
  try {
    return await readFile(join(mount, path, file), "utf8");
  } catch (thrown) {
    if (["ENOENT", "ENODEV", "EOPNOTSUPP"].includes((thrown as NodeJS.ErrnoException).code ?? "")) return "";
    throw thrown;
  }
}
