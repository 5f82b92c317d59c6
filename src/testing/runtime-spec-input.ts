import { knownCapabilities } from "../engine/spec/capabilities.ts";
import type { RuntimeSpecInput } from "../engine/spec/input.ts";
import type { HostFacts } from "../ports/host.ts";

/** A host that can do everything. */
export const sampleHost: HostFacts = {
  architecture: "amd64",
  kernel: "6.1.0-18-amd64",
  operatingSystem: "Debian GNU/Linux 12 (bookworm)",
  hostname: "host-a",
  cpus: 4,
  onlineCpus: "0-3",
  memoryNodes: "0",
  memory_bytes: 8 * 2 ** 30,
  cgroupVersion: 2,
  limits: {
    memory: true,
    swap: true,
    swappiness: true,
    oomKillDisable: true,
    cpuShares: true,
    cpuQuota: true,
    cpuRealtime: true,
    cpuset: true,
    pids: true,
    blkioWeight: true,
    blkioThrottle: true,
  },
  seccomp: true,
  apparmor: false,
  capabilities: knownCapabilities,
  hardLimits: { nofile: 524_288 },
  oomScoreAdj: 0,
};

/** A container that asks for nothing but to run. */
export function sampleSpecInput(
  spec: Partial<RuntimeSpecInput["spec"]> = {},
  more: Partial<RuntimeSpecInput> = {},
): RuntimeSpecInput {
  return {
    id: "c0ffee",
    spec: {
      image: "busybox",
      env: [],
      labels: {},
      mounts: [],
      ports: [],
      namespaces: {},
      resources: {},
      restart: { name: "no" },
      log: { driver: "", options: {} },
      ...spec,
    },
    process: { args: ["sh"], env: [], workingDir: "", user: "" },
    hostname: "c0ffee",
    rootfsPath: "/var/lib/berth/roots/c0ffee/merged",
    passwd: "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/var/www:/bin/false\n",
    group: "root:x:0:\nweb:x:34:\nmedia:x:44:web,other\nstaff:x:50:\n",
    mounts: [],
    files: {
      hosts: "/run/berth/c0ffee/hosts",
      hostname: "/run/berth/c0ffee/hostname",
      resolvConf: "/run/berth/c0ffee/resolv.conf",
    },
    namespaces: {
      network: { path: "/run/berth/netns/c0ffee" },
      pid: "private",
      ipc: "private",
      uts: "private",
      cgroup: "private",
    },
    cgroupPath: "/berth/c0ffee",
    deviceNodes: new Map(),
    host: sampleHost,
    ...more,
  };
}
