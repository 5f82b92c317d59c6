import type { ContainerSpec, MountSpec } from "../../model/container.ts";
import type { DeviceNode, HostFacts } from "../../ports/host.ts";

/** A namespace of the container's own, the host's, or one that exists already. */
export type NamespaceTarget = "private" | "host" | { path: string };

/** A mount whose source was found or made on this host. */
export interface ResolvedMount {
  spec: MountSpec;
  /** Host path; unused for tmpfs. */
  source: string;
  /** The source is one file, so nothing can be mounted below it. */
  isFile?: boolean;
}

/** Everything that decides how a container is run, already looked up: the builder itself touches nothing. */
export interface RuntimeSpecInput {
  id: string;
  spec: ContainerSpec;
  /** Image and spec together. */
  process: { args: string[]; env: string[]; workingDir: string; user: string };
  hostname: string;
  rootfsPath: string;
  /** The root file system's /etc/passwd and /etc/group; empty where it has none. */
  passwd: string;
  group: string;
  mounts: ResolvedMount[];
  /** Generated files that are shown in /etc, host paths. */
  files: { hosts?: string; hostname?: string; resolvConf?: string };
  /** Host path of a shared-memory file system to be seen at /dev/shm, where it is shared with other containers (or is the host's); absent: one of its own. */
  shmPath?: string;
  namespaces: Record<"network" | "pid" | "ipc" | "uts" | "cgroup", NamespaceTarget>;
  /** As `linux.cgroupsPath` has it; see `cgroupPathOf`. */
  cgroupPath: string;
  /** Host path of tini, for containers that ask for an init process. */
  initPath?: string;
  /** The devices asked for in `spec.devices` by host path (a directory gives several); for a privileged container all under "/dev". */
  deviceNodes: ReadonlyMap<string, DeviceNode[]>;
  /** The host's own default for containers that do not say. */
  noNewPrivileges?: boolean;
  host: HostFacts;
}

/** The group of a container: below what `spec.cgroupParent` names, else below the engine's own. */
export function cgroupPathOf(input: { id: string; root: string; parent?: string }): string {
  const parent = (input.parent || input.root).replace(/^\/+|\/+$/g, "");
  return parent === "" ? `/${input.id}` : `/${parent}/${input.id}`;
}
