import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { ContainerSpec, NamespaceModes, Resources } from "../../model/container.ts";
import type { DeviceNode } from "../../ports/host.ts";
import type { EngineContext } from "../context.ts";
import { donor, sharedWith } from "../lifecycle/namespaces.ts";
import type { ResolvedProcess } from "../merge.ts";
import { buildRuntimeSpec } from "../spec/build-runtime-spec.ts";
import { cgroupPathOf, type NamespaceTarget, type RuntimeSpecInput } from "../spec/input.ts";
import { writeJson } from "../state/json-file.ts";
import type { ContainerConfig } from "../state/record.ts";
import type { PreparedMounts } from "./prepare-mounts.ts";

/** Far more than any passwd file of an image has. */
const userFile_bytes = 4 * 1024 ** 2;

/** Writes the bundle's config.json. */
export async function writeBundle(
  context: EngineContext,
  config: ContainerConfig,
  prepared: PreparedMounts & { netnsPath: string },
): Promise<void> {
  const { rootfsPath, mounts } = prepared;
  const input: RuntimeSpecInput = {
    ...(await commonInput(context, config.spec)),
    ...(await userFiles(context, rootfsPath)),
    id: config.id,
    process: config.process,
    hostname: config.hostname,
    rootfsPath,
    mounts: mounts.map(({ point, source }) => ({
      spec: mountSpecOf(config, point.target),
      source,
      isFile: source !== "" && statSync(source, { throwIfNoEntry: false })?.isFile(),
    })),
    files: { hosts: prepared.hostsPath, hostname: prepared.hostnamePath, resolvConf: prepared.resolvConfPath },
    shmPath: prepared.shmPath || undefined,
    namespaces: namespaceTargets(context, config.spec, prepared.netnsPath),
    cgroupPath: cgroupPath(context, config),
  };
  writeJson(join(context.paths.bundle(config.id), "config.json"), buildRuntimeSpec(input).spec);
}

/** Builds the specification of a container that does not exist yet, so that what cannot be is refused at its creation. Returns warnings. */
export async function rehearseSpec(
  context: EngineContext,
  spec: ContainerSpec,
  process: ResolvedProcess,
): Promise<string[]> {
  const modes = spec.namespaces;
  const target = (mode: string | undefined): NamespaceTarget =>
    mode === "host" ? "host" : sharedWith(mode) ? { path: "/proc/self/ns" } : "private";
  const built = buildRuntimeSpec({
    ...(await commonInput(context, { ...spec, groups: [] })),
    id: "0",
    // Names of users and groups mean something in the root file system only, which is not there yet.
    process: { ...process, user: "0:0" },
    passwd: "",
    group: "",
    hostname: spec.hostname || "rehearsal",
    rootfsPath: "/",
    mounts: spec.mounts.map(mount => ({ spec: mount, source: mount.source ?? "" })),
    files: {},
    namespaces: {
      network: target(modes.network),
      pid: target(modes.pid),
      ipc: target(modes.ipc),
      uts: target(modes.uts),
      cgroup: target(modes.cgroup),
    },
    cgroupPath: "/rehearsal",
  });
  return built.warnings;
}

/** All of a host's containers have their control groups side by side below one, unless they name a parent. */
export function cgroupPath(context: EngineContext, { id, spec }: Pick<ContainerConfig, "id" | "spec">): string {
  return cgroupPathOf({ id, root: cgroupRoot(context), parent: spec.cgroupParent });
}

export function cgroupRoot({ instance }: Pick<EngineContext, "instance">): string {
  return instance === "" ? "/berth" : `/berth-${instance}`;
}

/** passwd and group as they are in the root now. */
export async function userFiles(
  { rootFiles }: EngineContext,
  rootfsPath: string,
): Promise<{ passwd: string; group: string }> {
  const [passwd, group] = await Promise.all(
    ["/etc/passwd", "/etc/group"].map(path => rootFiles.read(rootfsPath, path, userFile_bytes)),
  );
  return { passwd: passwd?.toString() ?? "", group: group?.toString() ?? "" };
}

/** The block devices that weights and throttles name. */
export async function resourceDevices(
  { host }: EngineContext,
  resources: Resources,
): Promise<Map<string, DeviceNode[]>> {
  const { blkioWeightDevices = [], readBps = [], writeBps = [], readIops = [], writeIops = [] } = resources;
  const paths = new Set([blkioWeightDevices, readBps, writeBps, readIops, writeIops].flat().map(({ path }) => path));
  return new Map(await Promise.all([...paths].map(async path => [path, await host.devices(path)] as const)));
}

async function commonInput(context: EngineContext, spec: ContainerSpec) {
  const { settings, host } = context;
  if (spec.init && !(settings?.initPath && existsSync(settings.initPath))) {
    throw new BerthError("unsupported", "init: this host has no tini to be the container's init process", {
      hint: "install it (Debian: apt-get install tini)",
    });
  }
  const nodes = await resourceDevices(context, spec.resources);
  const devices = [...(spec.devices ?? []).map(device => device.hostPath), ...(spec.privileged ? ["/dev"] : [])];
  for (const path of devices) nodes.set(path, await host.devices(path));
  return {
    spec,
    initPath: settings?.initPath,
    deviceNodes: nodes,
    noNewPrivileges: settings?.noNewPrivileges,
    host: host.facts(),
  };
}

function mountSpecOf(config: ContainerConfig, target: string) {
  const found = config.spec.mounts.find(mount => mount.target === target);
  if (found) return found;
  throw new BerthError("internal", `container ${config.name}: no mount has the target ${target}`);
}

function namespaceTargets(
  context: EngineContext,
  spec: ContainerSpec,
  netnsPath: string,
): Record<"network" | "pid" | "ipc" | "uts" | "cgroup", NamespaceTarget> {
  const modes = spec.namespaces;
  const target = (kind: keyof NamespaceModes, file: string): NamespaceTarget => {
    const mode = modes[kind];
    const shared = sharedWith(mode);
    if (shared !== undefined) return { path: `/proc/${donor(context, kind, shared).pid}/ns/${file}` };
    return mode === "host" ? "host" : "private";
  };
  return {
    network: netnsPath === "" ? "host" : { path: netnsPath },
    pid: target("pid", "pid"),
    ipc: target("ipc", "ipc"),
    uts: target("uts", "uts"),
    cgroup: target("cgroup", "cgroup"),
  };
}
