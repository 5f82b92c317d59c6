import type { DeviceSpec, Resources, ThrottleDevice, Ulimit } from "../../model/container.ts";
import type { Fields } from "../http/fields.ts";

/** Limits as Docker's HostConfig and POST /containers/{id}/update have them; 0 is "not set". */
export function toResources(host: Fields): Resources {
  const number = (name: string) => host.number(name) || undefined;
  const throttle = (name: string): ThrottleDevice[] | undefined => {
    const list = host.objects(name);
    if (list.length === 0) return undefined;
    return list.map(entry => ({ path: entry.text("Path") ?? "", rate: entry.number("Rate") ?? 0 }));
  };
  const weights = host.objects("BlkioWeightDevice");
  const swappiness = host.number("MemorySwappiness");
  return {
    nanoCpus: number("NanoCpus"),
    cpuShares: number("CpuShares"),
    cpuPeriod_us: number("CpuPeriod"),
    cpuQuota_us: number("CpuQuota"),
    cpuRealtimePeriod_us: number("CpuRealtimePeriod"),
    cpuRealtimeRuntime_us: number("CpuRealtimeRuntime"),
    cpusetCpus: host.text("CpusetCpus") || undefined,
    cpusetMems: host.text("CpusetMems") || undefined,
    memory_bytes: number("Memory"),
    memoryReservation_bytes: number("MemoryReservation"),
    memorySwap_bytes: number("MemorySwap"),
    // -1 is how clients say that they leave it alone.
    memorySwappiness: swappiness === -1 ? undefined : swappiness,
    oomKillDisable: host.flag("OomKillDisable") || undefined,
    pidsLimit: number("PidsLimit"),
    blkioWeight: number("BlkioWeight"),
    blkioWeightDevices: weights.length
      ? weights.map(entry => ({ path: entry.text("Path") ?? "", weight: entry.number("Weight") ?? 0 }))
      : undefined,
    readBps: throttle("BlkioDeviceReadBps"),
    writeBps: throttle("BlkioDeviceWriteBps"),
    readIops: throttle("BlkioDeviceReadIOps"),
    writeIops: throttle("BlkioDeviceWriteIOps"),
    deviceCgroupRules: host.texts("DeviceCgroupRules"),
  };
}

export function toUlimits(host: Fields): Ulimit[] {
  return host.objects("Ulimits").map(entry => ({
    name: entry.text("Name") ?? "",
    soft: entry.number("Soft") ?? 0,
    hard: entry.number("Hard") ?? entry.number("Soft") ?? 0,
  }));
}

export function toDevices(host: Fields): DeviceSpec[] {
  return host.objects("Devices").map(entry => {
    const hostPath = entry.text("PathOnHost") ?? "";
    return {
      hostPath,
      containerPath: entry.text("PathInContainer") || hostPath,
      permissions: entry.text("CgroupPermissions") || "rwm",
    };
  });
}
