import type { Readable } from "node:stream";
import type { Image, ImageConfig, ImageRunConfig } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Change } from "../../ports/layers.ts";
import type { EngineContext } from "../context.ts";
import { containerEvent } from "../lifecycle/attributes.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { type Held, withContainer } from "../lifecycle/settle.ts";
import type { ContainerConfig } from "../state/record.ts";
import { applyChanges } from "./commit-changes.ts";

/** What the engine itself puts into a root when it mounts something there is not the container's change. */
export async function containerChanges(
  context: EngineContext,
  reference: string,
  options: CallOptions,
): Promise<Change[]> {
  const id = context.store.find(reference);
  const config = context.store.config(id);
  const changes = await context.layers.changes(id, options);
  const own = enginePaths(config);
  const kept = changes.filter(({ path, kind }) => !(kind === "added" && own.has(path)));
  return kept.filter(({ path, kind }) => !(kind === "modified" && isOnlyParent(path, kept, own)));
}

/** Mount points that the runtime makes where the image has none. */
function enginePaths(config: ContainerConfig): Set<string> {
  const fixed = [
    "/proc",
    "/dev",
    "/sys",
    "/etc",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/dev/pts",
    "/dev/shm",
    "/dev/mqueue",
    "/dev/console",
  ];
  return new Set([...fixed, ...config.mounts.flatMap(({ target }) => withParents(target))]);
}

function withParents(path: string): string[] {
  const parts = path.split("/").slice(1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}

/** A directory that changed only because the engine made a mount point in it. */
function isOnlyParent(path: string, changes: Change[], own: Set<string>): boolean {
  const below = `${path === "/" ? "" : path}/`;
  return [...own].some(made => made.startsWith(below)) && !changes.some(change => change.path.startsWith(below));
}

/** The whole root as a tar, volumes not included, as Docker's export has it. */
export async function exportContainer(
  context: EngineContext,
  reference: string,
  options: CallOptions,
): Promise<Readable> {
  const id = context.store.find(reference);
  const ready = Promise.withResolvers<Readable>();
  const pack = async (root: string) => {
    const tar = context.rootFiles.pack(root, "/", { ...options, as: "" });
    ready.resolve(tar);
    await new Promise<void>(resolve => tar.once("close", resolve).once("error", () => resolve()));
  };
  const seen = look(context, id);
  const work = isRunning(seen)
    ? pack(context.store.config(id).rootfsPath)
    : withContainer(context, id, options, async held => {
        if (isRunning(look(context, id))) return await pack(held.config.rootfsPath);
        const { mergedPath } = await context.layers.mount(id, options);
        try {
          await pack(mergedPath);
        } finally {
          await context.layers.unmount(id);
        }
      });
  work.then(
    () => containerEvent(context, context.store.config(id), "export"),
    thrown => ready.reject(thrown),
  );
  return await ready.promise;
}

export interface CommitOptions extends CallOptions {
  tag?: string;
  message?: string;
  author?: string;
  /** Freeze the container while its changes are read. Default true. */
  pause?: boolean;
  /** Dockerfile instructions. */
  changes?: string[];
  config?: ImageRunConfig;
}

/** An image of the container's root: its image's layers and its changes as one more. */
export async function commitContainer(
  context: EngineContext,
  reference: string,
  options: CommitOptions = {},
): Promise<Image> {
  return await withContainer(context, reference, options, async held => {
    const freeze = (options.pause ?? true) && isRunning(look(context, held.id)) && !held.state.paused;
    if (freeze) await setFrozen(context, held, true);
    let layer: Awaited<ReturnType<typeof context.layers.commit>>;
    try {
      layer = await context.layers.commit(held.id, options);
    } finally {
      if (freeze) await setFrozen(context, held, false);
    }
    const base = await context.images.get(held.config.imageId, options);
    const image = await context.images.create(
      {
        config: committedConfig(context, held.config, base, layer.diffId, options),
        layers: [...base.layers, layer.blob],
        tags: options.tag ? [options.tag] : [],
      },
      options,
    );
    containerEvent(context, held.config, "commit", { comment: options.message ?? "", imageID: image.id });
    return image;
  });
}

async function setFrozen(context: EngineContext, held: Held, frozen: boolean): Promise<void> {
  held.state = { ...held.state, paused: frozen };
  if (frozen) {
    context.store.writeState(held.id, held.state);
    await context.runtime.pause(held.id);
  } else {
    await context.runtime.resume(held.id);
    context.store.writeState(held.id, held.state);
  }
}

function committedConfig(
  context: EngineContext,
  config: ContainerConfig,
  base: Image,
  diffId: string,
  options: CommitOptions,
): ImageConfig {
  const created = new Date(context.clock.now_ms()).toISOString();
  const { process: merged, spec } = config;
  const own: ImageRunConfig = {
    ...base.config.config,
    Env: merged.env,
    Labels: merged.labels,
    WorkingDir: merged.workingDir === "/" ? "" : merged.workingDir,
    User: merged.user,
    ExposedPorts: Object.fromEntries(merged.exposedPorts.map(port => [port, {}])),
    Volumes: Object.fromEntries(merged.volumes.map(target => [target, {}])),
    StopSignal: spec.stopSignal ?? base.config.config?.StopSignal,
    ...(spec.entrypoint === undefined ? {} : { Entrypoint: spec.entrypoint.filter(Boolean) }),
    ...(spec.command?.length ? { Cmd: spec.command } : {}),
  };
  return {
    ...base.config,
    created,
    author: options.author || base.config.author,
    config: applyChanges({ ...own, ...options.config }, options.changes ?? [], base.config),
    rootfs: { type: "layers", diff_ids: [...base.config.rootfs.diff_ids, diffId] },
    history: [
      ...(base.config.history ?? []),
      { created, created_by: merged.args.join(" "), author: options.author, comment: options.message },
    ],
  };
}
