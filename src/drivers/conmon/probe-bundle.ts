import { existsSync, lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const hostDirectories = ["/bin", "/lib", "/lib64", "/usr"];

/** Writes a bundle for the smallest container that says whether a runtime works: /bin/true from the host's own programs, with all that every container has. */
export function probeBundle(directory: string, cgroupPath: string): void {
  mkdirSync(join(directory, "rootfs"), { recursive: true });
  const safe = ["nosuid", "noexec", "nodev"];
  const config = {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ["/bin/true"],
      env: ["PATH=/usr/bin:/bin"],
      cwd: "/",
    },
    root: { path: join(directory, "rootfs"), readonly: true },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: safe },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=1m"] },
      { destination: "/sys", type: "sysfs", source: "sysfs", options: [...safe, "ro"] },
      { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [...safe, "ro"] },
      ...hostDirectories
        .filter(path => existsSync(path))
        // /bin is a link to /usr/bin on most: mounted as what it points to, so that no link has to be made.
        .map(path => ({ destination: path, type: "bind", source: path, options: ["rbind", "ro"] })),
    ],
    linux: {
      cgroupsPath: cgroupPath,
      namespaces: ["pid", "ipc", "uts", "mount", "network"].map(type => ({ type })),
      resources: { pids: { limit: 16 } },
    },
  };
  for (const path of hostDirectories) {
    if (lstatSync(path, { throwIfNoEntry: false })) mkdirSync(join(directory, "rootfs", path), { recursive: true });
  }
  for (const path of ["proc", "dev", "sys"]) mkdirSync(join(directory, "rootfs", path), { recursive: true });
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
}
