import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { diskView, resolveInRoot } from "../../build/tree/resolve.ts";
import type { RuntimeSpecInput } from "../../engine/spec/input.ts";
import type { MountSpec } from "../../model/container.ts";
import type { StepInput, StepMount } from "../../ports/build.ts";
import type { HostFacts } from "../../ports/host.ts";

/** A lone file is bound without recursion: crun 1.8 takes the target of a recursive read-only bind for a directory. */
function mountSpec(mount: StepMount): MountSpec {
  const { kind, source, target, readOnly, size_bytes } = mount;
  if (kind === "tmpfs") return { type: "tmpfs", target, size_bytes };
  const nonRecursive = source !== undefined && !statSync(source).isDirectory();
  return { type: "bind", source, target, readOnly, nonRecursive };
}

/** A file of the root, links followed inside it; "" where there is none. */
function readInRoot(root: string, path: string): string {
  const { path: real, stat } = resolveInRoot(diskView(root), path);
  return stat?.isFile() ? readFileSync(join(root, real), "utf8") : "";
}

/** A step as the spec builder wants it: a container with everything at its default but what the step says. */
export function stepSpecInput(
  input: StepInput,
  around: {
    hostname: string;
    files: { hosts: string; hostname: string; resolvConf: string };
    netnsPath?: string;
    cgroupPath: string;
    host: HostFacts;
  },
): RuntimeSpecInput {
  const { rootfsPath } = input;
  const network =
    input.network === "host" ? "host" : around.netnsPath === undefined ? "private" : { path: around.netnsPath };
  const cgroup = existsSync("/proc/self/ns/cgroup") && around.host.cgroupVersion === 2 ? "private" : "host";
  return {
    id: input.id,
    spec: {
      image: "",
      env: [],
      labels: {},
      mounts: [],
      ports: [],
      namespaces: {},
      resources: input.resources ?? {},
      restart: { name: "no" },
      log: { driver: "none", options: {} },
      shmSize_bytes: input.shmSize_bytes,
      ulimits: input.ulimits,
    },
    process: { args: input.args, env: input.env, workingDir: input.workingDir, user: input.user },
    hostname: around.hostname,
    rootfsPath,
    passwd: readInRoot(rootfsPath, "etc/passwd"),
    group: readInRoot(rootfsPath, "etc/group"),
    mounts: input.mounts.map(mount => ({ spec: mountSpec(mount), source: mount.source ?? "" })),
    files: around.files,
    namespaces: { network, pid: "private", ipc: "private", uts: input.network === "host" ? "host" : "private", cgroup },
    cgroupPath: around.cgroupPath,
    deviceNodes: new Map(),
    host: around.host,
  };
}
