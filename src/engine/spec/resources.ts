import { BerthError } from "../../base/errors.ts";
import type { Resources, ThrottleDevice } from "../../model/container.ts";
import type { DeviceNode, HostFacts, LimitSupport } from "../../ports/host.ts";
import { inCpuList } from "./cpu-list.ts";
import type { OciResources, OciThrottle } from "./oci.ts";

/** No container runs in less. */
const leastMemory_bytes = 6 * 1024 * 1024;
const defaultPeriod_us = 100_000;

export interface ResourceResult {
  resources: OciResources;
  warnings: string[];
}

/**
 * Limits as `linux.resources` (OCI config-linux.md, "Control groups"), for both cgroup versions: the runtimes translate. What the kernel cannot limit is left
 * out with a warning. `devices` knows the block devices of weights and throttles by host path. Throws `invalid` naming the field.
 */
export function limitResources(
  wanted: Resources,
  host: HostFacts,
  devices: ReadonlyMap<string, DeviceNode[]> = new Map(),
): ResourceResult {
  const warnings: string[] = [];
  const supported = (asked: boolean, support: keyof LimitSupport, what: string): boolean => {
    if (!asked) return false;
    if (!host.limits[support]) warnings.push(`this kernel cannot limit ${what}: the limit is left out`);
    return host.limits[support];
  };
  const resources: OciResources = {};
  const memory = limitMemory(wanted, host, supported);
  if (Object.keys(memory).length > 0) resources.memory = memory;
  const cpu = limitCpu(wanted, host, supported);
  if (Object.keys(cpu).length > 0) resources.cpu = cpu;
  const pids = wanted.pidsLimit ?? 0;
  if (supported(pids > 0, "pids", "the number of processes")) resources.pids = { limit: pids };
  const blockIO = limitBlockIo(wanted, devices, supported);
  if (Object.keys(blockIO).length > 0) resources.blockIO = blockIO;
  return { resources, warnings };
}

type Supported = (asked: boolean, support: keyof LimitSupport, what: string) => boolean;

function limitMemory(wanted: Resources, host: HostFacts, supported: Supported): NonNullable<OciResources["memory"]> {
  const limit = wanted.memory_bytes ?? 0;
  const swap = wanted.memorySwap_bytes ?? 0;
  const reservation = wanted.memoryReservation_bytes ?? 0;
  if (limit !== 0 && limit < leastMemory_bytes) {
    throw new BerthError("invalid", `memory_bytes: ${limit} is too little: the least is 6 MiB`);
  }
  if (swap > 0 && limit === 0) {
    throw new BerthError("invalid", "memorySwap_bytes: needs a limit of memory too", { hint: "set memory_bytes" });
  }
  if (swap > 0 && swap < limit) {
    throw new BerthError(
      "invalid",
      `memorySwap_bytes: ${swap} is memory and swap together: less than ${limit} cannot be`,
    );
  }
  if (reservation !== 0 && limit !== 0 && reservation > limit) {
    throw new BerthError("invalid", `memoryReservation_bytes: ${reservation} is above the limit of ${limit}`);
  }
  const swappiness = wanted.memorySwappiness;
  if (swappiness !== undefined && swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
    throw new BerthError("invalid", `memorySwappiness: ${swappiness} is not between 0 and 100`);
  }
  const memory: NonNullable<OciResources["memory"]> = {};
  if (supported(limit > 0, "memory", "memory")) {
    memory.limit = limit;
    // Docker's default: as much swap as memory. Without being asked for, its absence is not worth a warning.
    if (swap === 0 ? host.limits.swap : supported(true, "swap", "swap")) memory.swap = swap || limit * 2;
  }
  if (supported(reservation > 0, "memory", "memory")) memory.reservation = reservation;
  if (swappiness !== undefined && swappiness >= 0 && supported(true, "swappiness", "swappiness")) {
    memory.swappiness = swappiness;
  }
  if (supported(wanted.oomKillDisable === true, "oomKillDisable", "the OOM killer for one container")) {
    memory.disableOOMKiller = true;
  }
  return memory;
}

function limitCpu(wanted: Resources, host: HostFacts, supported: Supported): NonNullable<OciResources["cpu"]> {
  const nano = wanted.nanoCpus ?? 0;
  if (nano !== 0 && (wanted.cpuQuota_us || wanted.cpuPeriod_us)) {
    throw new BerthError("invalid", "nanoCpus: cannot be given together with cpuQuota_us or cpuPeriod_us");
  }
  if (nano < 0 || nano > host.cpus * 1e9 || (nano !== 0 && nano < 1e7)) {
    throw new BerthError(
      "invalid",
      `nanoCpus: ${nano / 1e9} is not between 0.01 and the ${host.cpus} cores of this host`,
    );
  }
  checkPeriod("cpuPeriod_us", wanted.cpuPeriod_us);
  if (wanted.cpuQuota_us && wanted.cpuQuota_us > 0 && wanted.cpuQuota_us < 1000) {
    throw new BerthError("invalid", `cpuQuota_us: ${wanted.cpuQuota_us} is below the least of 1000`);
  }
  checkList("cpusetCpus", wanted.cpusetCpus, host.onlineCpus);
  checkList("cpusetMems", wanted.cpusetMems, host.memoryNodes);
  const cpu: NonNullable<OciResources["cpu"]> = {};
  if (supported((wanted.cpuShares ?? 0) > 0, "cpuShares", "shares of the CPU")) {
    // The kernel's own bounds, cpu.shares; beyond them it would fail or silently take these.
    cpu.shares = Math.min(262_144, Math.max(2, wanted.cpuShares!));
  }
  const quota = nano > 0 ? Math.round((nano * defaultPeriod_us) / 1e9) : (wanted.cpuQuota_us ?? 0);
  const period = nano > 0 ? defaultPeriod_us : (wanted.cpuPeriod_us ?? 0);
  if (supported(quota !== 0 || period !== 0, "cpuQuota", "CPU time")) {
    if (quota !== 0) cpu.quota = quota;
    if (period !== 0) cpu.period = period;
  }
  const realtime = wanted.cpuRealtimeRuntime_us ?? 0;
  const realtimePeriod = wanted.cpuRealtimePeriod_us ?? 0;
  if (realtimePeriod !== 0 && realtime > realtimePeriod) {
    throw new BerthError("invalid", `cpuRealtimeRuntime_us: ${realtime} is above its period of ${realtimePeriod}`);
  }
  if (supported(realtime > 0 || realtimePeriod > 0, "cpuRealtime", "realtime CPU time")) {
    if (realtime > 0) cpu.realtimeRuntime = realtime;
    if (realtimePeriod > 0) cpu.realtimePeriod = realtimePeriod;
  }
  if (supported(Boolean(wanted.cpusetCpus), "cpuset", "the choice of CPUs")) cpu.cpus = wanted.cpusetCpus;
  if (supported(Boolean(wanted.cpusetMems), "cpuset", "the choice of memory nodes")) cpu.mems = wanted.cpusetMems;
  return cpu;
}

function checkPeriod(field: string, period: number | undefined): void {
  if (period && (period < 1000 || period > 1_000_000)) {
    throw new BerthError("invalid", `${field}: ${period} is not between 1000 and 1000000`);
  }
}

function checkList(field: string, wanted: string | undefined, available: string): void {
  if (!wanted) return;
  const missing = inCpuList(wanted, available);
  if (missing === "malformed") throw new BerthError("invalid", `${field}: '${wanted}' is not a list such as 0-2,4`);
  if (missing === "missing") {
    throw new BerthError("invalid", `${field}: asked for ${wanted}, but this host has ${available}`);
  }
}

function limitBlockIo(
  wanted: Resources,
  devices: ReadonlyMap<string, DeviceNode[]>,
  supported: Supported,
): NonNullable<OciResources["blockIO"]> {
  const blockIO: NonNullable<OciResources["blockIO"]> = {};
  const weight = wanted.blkioWeight ?? 0;
  if (weight !== 0 && (weight < 10 || weight > 1000)) {
    throw new BerthError("invalid", `blkioWeight: ${weight} is not between 10 and 1000`);
  }
  if (supported(weight > 0, "blkioWeight", "shares of block I/O")) blockIO.weight = weight;
  const weights = wanted.blkioWeightDevices ?? [];
  if (supported(weights.length > 0, "blkioWeight", "shares of block I/O")) {
    blockIO.weightDevice = weights.map(entry => ({
      ...blockDevice("blkioWeightDevices", entry.path, devices),
      weight: entry.weight,
    }));
  }
  const throttles = [
    ["readBps", "throttleReadBpsDevice"],
    ["writeBps", "throttleWriteBpsDevice"],
    ["readIops", "throttleReadIOPSDevice"],
    ["writeIops", "throttleWriteIOPSDevice"],
  ] as const;
  for (const [field, name] of throttles) {
    const entries = wanted[field] ?? [];
    if (supported(entries.length > 0, "blkioThrottle", "rates of block I/O")) {
      blockIO[name] = entries.map(entry => throttle(field, entry, devices));
    }
  }
  return blockIO;
}

function throttle(field: string, entry: ThrottleDevice, devices: ReadonlyMap<string, DeviceNode[]>): OciThrottle {
  if (entry.rate <= 0) throw new BerthError("invalid", `${field}: the rate for ${entry.path} must be above 0`);
  return { ...blockDevice(field, entry.path, devices), rate: entry.rate };
}

function blockDevice(
  field: string,
  path: string,
  devices: ReadonlyMap<string, DeviceNode[]>,
): { major: number; minor: number } {
  const device = devices.get(path)?.find(node => node.type === "b");
  if (device === undefined) throw new BerthError("invalid", `${field}: ${path} is not a block device of this host`);
  return { major: device.major, minor: device.minor };
}
