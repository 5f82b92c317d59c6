import { posix } from "node:path";
import type { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { PathStat } from "../../ports/engine.ts";
import type { UnpackOptions } from "../../ports/root-files.ts";
import type { EngineContext } from "../context.ts";
import { containerEvent } from "../lifecycle/attributes.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { settle } from "../lifecycle/settle.ts";
import type { ContainerConfig } from "../state/record.ts";

/** A directory of the host below which a path of the container is found. */
interface Place {
  root: string;
  path: string;
}

/**
 * Files of a running container are reached through its own root, volumes and all; of a stopped one through its mounted root, and through a volume's or bind's
 * own directory where the path lies in one.
 */
async function withPlace<T>(
  context: EngineContext,
  reference: string,
  path: string,
  options: CallOptions,
  work: (place: Place, config: ContainerConfig) => Promise<T>,
): Promise<T> {
  const id = context.store.find(reference);
  const config = context.store.config(id);
  const seen = look(context, id);
  if (isRunning(seen)) return await work({ root: `/proc/${seen.stored.pid}/root`, path }, config);
  // Under the lock nobody starts it meanwhile, and so nobody but us has the root mounted.
  await using _lock = await context.store.lock(id, options);
  const state = await settle(context, id);
  if (state?.phase === "running") return await work({ root: `/proc/${state.pid}/root`, path }, config);
  const { mergedPath } = await context.layers.mount(id, options);
  try {
    return await work(await stoppedPlace(context, config, mergedPath, path), config);
  } finally {
    await context.layers.unmount(id);
  }
}

async function stoppedPlace(
  context: EngineContext,
  config: ContainerConfig,
  mergedPath: string,
  path: string,
): Promise<Place> {
  const clean = posix.normalize(`/${path}`);
  const mounts = config.mounts.filter(({ type }) => type === "volume" || type === "bind");
  const found = mounts
    .filter(({ target }) => clean === target || clean.startsWith(`${target}/`))
    .sort((a, b) => b.target.length - a.target.length)[0];
  if (found === undefined) return { root: mergedPath, path };
  const source = found.type === "volume" ? (await context.volumes.get(found.name)).mountpoint : found.source;
  return { root: source, path: clean.slice(found.target.length) || "/" };
}

export async function statPath(
  context: EngineContext,
  reference: string,
  path: string,
  options: CallOptions,
): Promise<PathStat> {
  return await withPlace(context, reference, path, options, async place => named(await statAt(context, place), path));
}

/** The archive's names begin with the last element of `path`, also where that is a mount's target. */
export async function readArchive(
  context: EngineContext,
  reference: string,
  path: string,
  options: CallOptions,
): Promise<{ stat: PathStat; tar: Readable }> {
  const ready = Promise.withResolvers<{ stat: PathStat; tar: Readable }>();
  // The place must stay until the last byte is read, so this goes on after the answer is given.
  const work = withPlace(context, reference, path, options, async (place, config) => {
    const stat = named(await statAt(context, place), path);
    const tar = context.rootFiles.pack(place.root, place.path, { ...options, as: archiveName(path, stat) });
    containerEvent(context, config, "archive-path", { path });
    const closed = new Promise<void>(resolve => tar.once("close", resolve).once("error", () => resolve()));
    ready.resolve({ stat, tar });
    await closed;
  });
  work.catch(thrown => ready.reject(thrown));
  return await ready.promise;
}

export async function writeArchive(
  context: EngineContext,
  reference: string,
  path: string,
  tar: Readable,
  options: UnpackOptions,
): Promise<void> {
  await withPlace(context, reference, path, options, async (place, config) => {
    const mount = config.mounts.find(({ target }) => posix.normalize(`/${path}`).startsWith(target));
    if (mount?.readOnly) {
      throw new BerthError("forbidden", `cannot write ${path}: ${mount.target} is mounted read-only`);
    }
    if (config.spec.readOnlyRootfs && mount === undefined) {
      throw new BerthError("forbidden", `cannot write ${path}: container ${config.name} has a read-only root`);
    }
    await context.rootFiles.unpack(place.root, place.path, tar, options);
    containerEvent(context, config, "extract-to-dir", { path });
  });
}

function statAt(context: EngineContext, { root, path }: Place): Promise<PathStat> {
  return context.rootFiles.stat(root, path);
}

function named(stat: PathStat, path: string): PathStat {
  return { ...stat, name: posix.basename(posix.normalize(`/${path}`)) || "/" };
}

/** "dir/." is the contents alone, under "."; the root is "/" in Docker's archives and "" in tar's terms. */
function archiveName(path: string, stat: PathStat): string {
  return path.endsWith("/.") || stat.name === "/" ? "" : stat.name;
}
