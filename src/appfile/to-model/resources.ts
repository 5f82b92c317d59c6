import type { ServiceResources } from "../../model/service.ts";
import type { ComposeService } from "../4-decode/service.ts";
import { defined, nano, size_bytes } from "./values.ts";

export function resourcesOf(from: ComposeService): ServiceResources {
  const block = from.blkio_config;
  const rates = (limits: { path: string; rate: string }[] | undefined) =>
    limits?.map(({ path, rate }) => ({ path, rate: Number(rate) }));
  return defined({
    nanoCpus: nano(from.cpus),
    cpuCount: from.cpu_count,
    cpuPercent: from.cpu_percent,
    cpuShares: from.cpu_shares,
    cpuPeriod_us: from.cpu_period,
    cpuQuota_us: from.cpu_quota,
    cpuRealtimePeriod_us: from.cpu_rt_period,
    cpuRealtimeRuntime_us: from.cpu_rt_runtime,
    cpuset: from.cpuset,
    memory_bytes: size_bytes(from.mem_limit),
    memoryReservation_bytes: size_bytes(from.mem_reservation),
    memorySwap_bytes: size_bytes(from.memswap_limit),
    memorySwappiness: from.mem_swappiness,
    oomKillDisable: from.oom_kill_disable,
    pidsLimit: from.pids_limit,
    blkioWeight: block?.weight,
    blkioWeightDevices: block?.weight_device?.map(({ path, weight }) => ({ path, weight })),
    readBps: rates(block?.device_read_bps),
    writeBps: rates(block?.device_write_bps),
    readIops: rates(block?.device_read_iops),
    writeIops: rates(block?.device_write_iops),
    deviceCgroupRules: from.device_cgroup_rules,
  });
}
