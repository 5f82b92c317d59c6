/** What the kernel can do for limits; where it cannot, the limit is left out with a warning, as Docker does. */
export interface LimitSupport {
  memory: boolean;
  /** Memory and swap together can be limited. */
  swap: boolean;
  swappiness: boolean;
  oomKillDisable: boolean;
  cpuShares: boolean;
  cpuQuota: boolean;
  cpuRealtime: boolean;
  cpuset: boolean;
  pids: boolean;
  blkioWeight: boolean;
  blkioThrottle: boolean;
}

/** Facts of the machine that do not change while it is up. */
export interface HostFacts {
  /** As Go and the image specification call it: amd64, arm64 … */
  architecture: string;
  /** Release, e.g. 6.1.0-18-amd64. */
  kernel: string;
  operatingSystem: string;
  hostname: string;
  cpus: number;
  /** Lists as the kernel writes them, e.g. "0-3,8". */
  onlineCpus: string;
  memoryNodes: string;
  memory_bytes: number;
  cgroupVersion: 1 | 2;
  limits: LimitSupport;
  seccomp: boolean;
  apparmor: boolean;
  /** CAP_… that we may hand on. */
  capabilities: string[];
  /** Hard limits of this process by name without RLIMIT_, in lower case ("nofile"); unlimited ones are absent. */
  hardLimits: Record<string, number>;
  /** Of this process; without CAP_SYS_RESOURCE no child can go below it. */
  oomScoreAdj: number;
}

export interface DeviceNode {
  path: string;
  type: "c" | "b";
  major: number;
  minor: number;
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
}

export interface Host {
  facts(): HostFacts;
  /** The device at `path` (links followed, the name kept), or all below it where it is a directory. Throws `not_found`, `invalid` where there is none. */
  devices(path: string): Promise<DeviceNode[]>;
}
