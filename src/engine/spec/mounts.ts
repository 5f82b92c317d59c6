import { BerthError } from "../../base/errors.ts";
import type { MountSpec, Propagation } from "../../model/container.ts";
import type { ResolvedMount, RuntimeSpecInput } from "./input.ts";
import type { OciMount } from "./oci.ts";
import { tmpfsOptions } from "./tmpfs-options.ts";

const defaultShm_bytes = 64 * 1024 * 1024;

/** Where the init program is seen in containers that ask for one, as in Docker. */
export const initTarget = "/sbin/docker-init";

/** File systems that every container has (Docker's list), then its own in order of depth, so that none hides another. */
export function buildMounts(input: RuntimeSpecInput): OciMount[] {
  const own = input.mounts.map(mount => userMount(mount, input));
  const taken = new Set(own.map(mount => mount.destination));
  const hidden = (target: string) => taken.has(target) || (taken.has("/dev") && target.startsWith("/dev/"));
  const builtIn = [...kernelMounts(input), ...fileMounts(input)].filter(mount => !hidden(mount.destination));
  own.sort((left, right) => depth(left.destination) - depth(right.destination));
  return [...builtIn, ...own];
}

/** A container that shares mounts with the host needs a root that does so too; OCI config-linux.md, "Rootfs Mount Propagation". */
export function rootPropagation(mounts: ResolvedMount[]): "shared" | "rslave" | undefined {
  const modes = mounts.map(({ spec }) => spec.propagation ?? "rprivate");
  if (modes.some(mode => mode.endsWith("shared"))) return "shared";
  return modes.some(mode => mode.endsWith("slave")) ? "rslave" : undefined;
}

function kernelMounts({ spec, namespaces, shmPath }: RuntimeSpecInput): OciMount[] {
  const access = spec.privileged ? [] : ["ro"];
  const safe = ["nosuid", "noexec", "nodev"];
  const mounts = [
    mount("/proc", "proc", "proc", safe),
    mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
    mount("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
    mount("/sys", "sysfs", "sysfs", [...safe, ...access]),
    mount("/sys/fs/cgroup", "cgroup", "cgroup", [...access, ...safe]),
    mount("/dev/mqueue", "mqueue", "mqueue", safe),
  ];
  if (shmPath !== undefined) {
    mounts.push(mount("/dev/shm", "bind", shmPath, ["rbind", "rprivate"]));
  } else if (spec.namespaces.ipc !== "none" || namespaces.ipc === "host") {
    const size = spec.shmSize_bytes || defaultShm_bytes;
    mounts.push(mount("/dev/shm", "tmpfs", "shm", [...safe, "mode=1777", `size=${size}`]));
  }
  return mounts;
}

function fileMounts({ files, spec, initPath }: RuntimeSpecInput): OciMount[] {
  const access = spec.readOnlyRootfs ? ["ro"] : [];
  const generated = [
    ["/etc/resolv.conf", files.resolvConf],
    ["/etc/hostname", files.hostname],
    ["/etc/hosts", files.hosts],
  ] as const;
  const mounts = generated.flatMap(([target, source]) =>
    source === undefined ? [] : [mount(target, "bind", source, ["rbind", "rprivate", ...access])],
  );
  if (spec.init) {
    if (initPath === undefined) {
      throw new BerthError("unsupported", "init: no init program was found on this host", { hint: "install tini" });
    }
    mounts.push(mount(initTarget, "bind", initPath, ["bind", "ro", "rprivate"]));
  }
  return mounts;
}

function userMount({ spec, source, isFile }: ResolvedMount, { host }: RuntimeSpecInput): OciMount {
  checkTarget(spec);
  if (spec.type === "tmpfs") return mount(spec.target, "tmpfs", "tmpfs", tmpfsOptions(spec));
  const readOnly = spec.readOnly || spec.type === "image";
  const options: string[] = [spec.nonRecursive ? "bind" : "rbind", propagationOf(spec)];
  // "ro" alone leaves file systems mounted below the source writable; crun 1.8 refuses "rro" where the source is a file.
  const recursively = !spec.nonRecursive && !isFile && hasRecursiveReadOnly(host.kernel);
  if (readOnly) options.push(recursively ? "rro" : "ro");
  return mount(spec.target, "bind", source, options);
}

function checkTarget(spec: MountSpec): void {
  if (!spec.target.startsWith("/") || spec.target.split("/").includes("..")) {
    throw new BerthError("invalid", `mounts: the target '${spec.target}' is not an absolute path without '..'`);
  }
  if (/^\/+$/.test(spec.target)) {
    throw new BerthError("invalid", "mounts: the target cannot be '/', the root itself");
  }
}

function propagationOf(spec: MountSpec): Propagation {
  if (spec.propagation !== undefined && spec.type !== "bind") {
    throw new BerthError("invalid", `mounts: propagation of ${spec.target} can only be set for a bind mount`);
  }
  return spec.propagation ?? (spec.nonRecursive ? "private" : "rprivate");
}

/** mount_setattr(2) came with Linux 5.12. */
function hasRecursiveReadOnly(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split(".").map(part => Number.parseInt(part, 10));
  return major > 5 || (major === 5 && minor >= 12);
}

function mount(destination: string, type: string, source: string, options: string[]): OciMount {
  return { destination, type, source, options };
}

const depth = (path: string) => path.split("/").filter(Boolean).length;
