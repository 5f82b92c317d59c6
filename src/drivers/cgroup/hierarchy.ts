import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the kernel's control groups are on this host. */
export type CgroupHierarchy =
  | { version: 2; mount: string; controllers: string[] }
  /** One tree for each controller (or group of them), by controller; `unified` where a version 2 tree is mounted beside them. */
  | { version: 1; mounts: ReadonlyMap<string, string>; unified?: string };

const defaultMount = "/sys/fs/cgroup";

/** Reads it off the mount table (proc(5), mountinfo) as systemd and the runtimes do: version 2 if that is what /sys/fs/cgroup is. */
export function findHierarchy(
  mountInfo: string = readFileSync("/proc/self/mountinfo", "utf8"),
  readControllers: (mount: string) => string = mount => readFileSync(join(mount, "cgroup.controllers"), "utf8"),
): CgroupHierarchy {
  const mounts = parseMounts(mountInfo);
  const top = mounts.find(({ type, target }) => type === "cgroup2" && target === defaultMount);
  if (top) return { version: 2, mount: top.target, controllers: readControllers(top.target).trim().split(/\s+/) };
  const controllers = new Map<string, string>();
  for (const { type, target, options } of mounts) {
    if (type !== "cgroup") continue;
    for (const option of options) {
      if (!["rw", "ro"].includes(option)) controllers.set(option, target);
    }
  }
  const unified = mounts.find(({ type }) => type === "cgroup2")?.target;
  return { version: 1, mounts: controllers, ...(unified ? { unified } : {}) };
}

/** Directories that a group has, one a tree; they need not exist. */
export function groupDirectories(hierarchy: CgroupHierarchy, path: string): string[] {
  if (hierarchy.version === 2) return [join(hierarchy.mount, path)];
  const trees = new Set(hierarchy.mounts.values());
  // runc makes its groups in the version 2 tree of a hybrid, too.
  if (hierarchy.unified) trees.add(hierarchy.unified);
  return [...trees].map(tree => join(tree, path));
}

export function groupExists(hierarchy: CgroupHierarchy, path: string): boolean {
  return groupDirectories(hierarchy, path).some(directory => existsSync(directory));
}

interface MountLine {
  target: string;
  type: string;
  options: string[];
}

function parseMounts(mountInfo: string): MountLine[] {
  return mountInfo.split("\n").flatMap(line => {
    const [before, after] = line.split(" - ", 2);
    const target = before?.split(" ")[4];
    const [type, , options] = after?.split(" ") ?? [];
    return target && type ? [{ target, type, options: options?.split(",") ?? [] }] : [];
  });
}
