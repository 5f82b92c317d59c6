import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LimitSupport } from "../../ports/host.ts";
import type { CgroupHierarchy } from "./hierarchy.ts";

/** What this kernel can limit, seen from the files that its controllers have. `exists` is for tests. */
export function limitSupport(hierarchy: CgroupHierarchy, exists: (path: string) => boolean = existsSync): LimitSupport {
  return hierarchy.version === 2 ? supportOfVersion2(hierarchy, exists) : supportOfVersion1(hierarchy, exists);
}

function supportOfVersion1(
  hierarchy: CgroupHierarchy & { version: 1 },
  exists: (path: string) => boolean,
): LimitSupport {
  const has = (controller: string, file: string) => {
    const mount = hierarchy.mounts.get(controller);
    return mount !== undefined && exists(join(mount, file));
  };
  return {
    memory: has("memory", "memory.limit_in_bytes"),
    swap: has("memory", "memory.memsw.limit_in_bytes"),
    swappiness: has("memory", "memory.swappiness"),
    oomKillDisable: has("memory", "memory.oom_control"),
    cpuShares: has("cpu", "cpu.shares"),
    cpuQuota: has("cpu", "cpu.cfs_quota_us"),
    cpuRealtime: has("cpu", "cpu.rt_runtime_us"),
    cpuset: has("cpuset", "cpuset.cpus"),
    pids: hierarchy.mounts.has("pids"),
    // Only the BFQ scheduler has weights since Linux 5.0.
    blkioWeight: has("blkio", "blkio.weight") || has("blkio", "blkio.bfq.weight"),
    blkioThrottle: has("blkio", "blkio.throttle.read_bps_device"),
  };
}

/** The files of limits are not in the root group, so the list of controllers says most. */
function supportOfVersion2(
  hierarchy: CgroupHierarchy & { version: 2 },
  exists: (path: string) => boolean,
): LimitSupport {
  const has = (controller: string) => hierarchy.controllers.includes(controller);
  return {
    memory: has("memory"),
    swap: has("memory") && exists("/proc/swaps"),
    swappiness: false,
    oomKillDisable: false,
    cpuShares: has("cpu"),
    cpuQuota: has("cpu"),
    cpuRealtime: false,
    cpuset: has("cpuset"),
    pids: has("pids"),
    blkioWeight: has("io"),
    blkioThrottle: has("io"),
  };
}
