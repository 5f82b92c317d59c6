import { existsSync, readFileSync } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { arch, cpus, hostname, release, totalmem } from "node:os";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { DeviceNode, Host, HostFacts } from "../../ports/host.ts";
import { findHierarchy } from "../cgroup/hierarchy.ts";
import { limitSupport } from "../cgroup/limit-support.ts";
import { parseCapabilityMask, parseHardLimits, parseOsName } from "./proc-text.ts";

/** Deeper device directories (or more devices) than these are a mistake, e.g. a bind of the root. */
const deepest = 8;
const mostDevices = 10_000;
/** Pseudo-terminals and file systems in /dev, of which every container has its own. */
const notDevices = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"]);

const goArchitectures: Record<string, string> = {
  x64: "amd64",
  arm: "arm",
  arm64: "arm64",
  ppc64: "ppc64le",
  ia32: "386",
};

/** The Linux machine that this process runs on. */
export class LinuxHost implements Host {
  #facts: HostFacts | undefined;

  facts(): HostFacts {
    this.#facts ??= readFacts();
    return this.#facts;
  }

  async devices(path: string): Promise<DeviceNode[]> {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) throw new BerthError("not_found", `devices: ${path} does not exist on this host`);
    const nodes: DeviceNode[] = [];
    if (found.isDirectory()) await walk(path, nodes, 0);
    else await take(path, nodes);
    if (nodes.length === 0)
      throw new BerthError("invalid", `devices: ${path} is not a device, nor a directory with one`);
    return nodes;
  }
}

async function walk(directory: string, nodes: DeviceNode[], depth: number): Promise<void> {
  if (depth > deepest) return;
  for (const entry of (await readdir(directory, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (notDevices.has(entry.name) || nodes.length > mostDevices) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await walk(path, nodes, depth + 1);
    else if (entry.isCharacterDevice() || entry.isBlockDevice()) await take(path, nodes);
  }
}

async function take(path: string, nodes: DeviceNode[]): Promise<void> {
  const link = await lstat(path);
  const found = link.isSymbolicLink() ? await stat(path) : link;
  if (!found.isCharacterDevice() && !found.isBlockDevice()) return;
  const device = BigInt(found.rdev);
  nodes.push({
    path,
    type: found.isBlockDevice() ? "b" : "c",
    // gnu_dev_major and gnu_dev_minor of glibc.
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    minor: Number((device & 0xffn) | ((device >> 12n) & ~0xffn)),
    mode: found.mode & 0o777,
    uid: found.uid,
    gid: found.gid,
  });
}

function readFacts(): HostFacts {
  const hierarchy = findHierarchy();
  const status = readFileSync("/proc/self/status", "utf8");
  return {
    architecture: goArchitectures[arch()] ?? arch(),
    kernel: release(),
    operatingSystem: parseOsName(readIfThere("/etc/os-release") ?? readIfThere("/usr/lib/os-release") ?? ""),
    hostname: hostname(),
    cpus: cpus().length,
    onlineCpus: readIfThere("/sys/devices/system/cpu/online")?.trim() ?? `0-${cpus().length - 1}`,
    memoryNodes: readIfThere("/sys/devices/system/node/online")?.trim() ?? "0",
    memory_bytes: totalmem(),
    cgroupVersion: hierarchy.version,
    limits: limitSupport(hierarchy),
    seccomp: /^Seccomp_filters:/m.test(status) || existsSync("/proc/sys/kernel/seccomp"),
    apparmor: readIfThere("/sys/module/apparmor/parameters/enabled")?.trim() === "Y",
    capabilities: parseCapabilityMask(/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"),
    hardLimits: parseHardLimits(readFileSync("/proc/self/limits", "utf8")),
    oomScoreAdj: Number(readIfThere("/proc/self/oom_score_adj") ?? 0),
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    if (["ENOENT", "EACCES"].includes((thrown as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw thrown;
  }
}
