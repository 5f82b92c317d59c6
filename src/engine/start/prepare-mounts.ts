import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { MountPoint, MountSpec } from "../../model/container.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { imageMounts } from "../lifecycle/image-mounts.ts";
import { donor, sharedWith } from "../lifecycle/namespaces.ts";
import type { ContainerConfig } from "../state/record.ts";
import { together } from "../together.ts";
import { makeNetworkFiles } from "./write-network-files.ts";

export interface PreparedMounts {
  rootfsPath: string;
  /** Each mount point with the host path to bind. */
  mounts: { point: MountPoint; source: string }[];
  hostsPath: string;
  hostnamePath: string;
  resolvConfPath: string;
  /** Host path to bind on /dev/shm; "" for one that the container has alone. */
  shmPath: string;
}

const defaultShm_bytes = 64 * 1024 ** 2;

/** Mounts the root, makes volumes usable, and says what is bound where. */
export async function prepareMounts(
  context: EngineContext,
  config: ContainerConfig,
  options: CallOptions,
): Promise<PreparedMounts> {
  const { layers, paths } = context;
  const { id, spec } = config;
  mkdirSync(paths.logDirectory(id), { recursive: true, mode: 0o700 });
  makeNetworkFiles(context, id);
  const shared = sharedWith(spec.namespaces.network);
  const filesOf = shared === undefined ? id : donor(context, "network", shared).id;
  const [root, sources] = await together(layers.mount(id, options), mountSources(context, config, options));
  return {
    rootfsPath: root.mergedPath,
    mounts: config.mounts.map((point, index) => ({ point, source: sources[index]! })),
    hostsPath: paths.file(filesOf, "hosts"),
    hostnamePath: paths.file(filesOf, "hostname"),
    resolvConfPath: paths.file(filesOf, "resolv.conf"),
    shmPath: shmPath(context, config),
  };
}

async function mountSources(context: EngineContext, config: ContainerConfig, options: CallOptions): Promise<string[]> {
  const images = new Map(imageMounts(config).map(mount => [mount.point, mount.rootId]));
  return await Promise.all(config.mounts.map(point => source(point)));

  async function source(point: MountPoint): Promise<string> {
    const wanted = config.spec.mounts.find(mount => mount.target === point.target);
    switch (point.type) {
      case "tmpfs":
        return "";
      case "volume":
        return await below(await context.volumes.attach(point.name, config.id, options), wanted);
      case "image":
        return await below((await context.layers.mount(images.get(point)!, options)).mergedPath, wanted);
      case "bind":
        return bindSource(point, wanted);
    }
  }

  /** A subpath is resolved inside the volume: what the volume holds must not lead out of it. */
  async function below(path: string, wanted: MountSpec | undefined): Promise<string> {
    return wanted?.subpath ? join(path, await context.rootFiles.resolve(path, `/${wanted.subpath}`)) : path;
  }
}

function bindSource(point: MountPoint, wanted: MountSpec | undefined): string {
  if (existsSync(point.source)) return point.source;
  if (!wanted?.createHostPath) {
    throw new BerthError("invalid", `bind mount on ${point.target}: ${point.source} does not exist on the host`, {
      hint: "make it first; or use -v, which makes a directory",
    });
  }
  mkdirSync(point.source, { recursive: true });
  return point.source;
}

/** A container that shares its IPC namespace shares /dev/shm too, so that one lies on the host. */
function shmPath(context: EngineContext, { id, spec }: ContainerConfig): string {
  const mode = spec.namespaces.ipc ?? "";
  if (mode === "host") return "/dev/shm";
  const shared = sharedWith(mode);
  if (shared !== undefined) {
    const from = donor(context, "ipc", shared);
    const path = context.paths.shm(from.id);
    if (existsSync(path)) return path;
    throw new BerthError("conflict", `cannot join the ipc namespace of container ${from.name}: it is private`, {
      hint: "start that container with --ipc shareable",
    });
  }
  if (mode !== "shareable") return "";
  const path = context.paths.shm(id);
  context.mounts.tmpfs(path, { size_bytes: spec.shmSize_bytes || defaultShm_bytes, mode: 0o1777 });
  return path;
}
