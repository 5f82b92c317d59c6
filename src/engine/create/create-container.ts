import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BerthError, isCode } from "../../base/errors.ts";
import type { ContainerSpec } from "../../model/container.ts";
import type { Image } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { WritableRoot } from "../../ports/layers.ts";
import type { EngineContext } from "../context.ts";
import { containerEvent } from "../lifecycle/attributes.ts";
import { imageMounts } from "../lifecycle/image-mounts.ts";
import { sharedWith } from "../lifecycle/namespaces.ts";
import { mergeImage } from "../merge.ts";
import { checkName, suggestName } from "../names.ts";
import { endpointSpecs } from "../start/endpoint-specs.ts";
import { forgetLinks, parseLink, recordLinks } from "../start/links.ts";
import { rehearseSpec } from "../start/runtime-spec.ts";
import { writeJson } from "../state/json-file.ts";
import { type ContainerConfig, freshState } from "../state/record.ts";
import { together } from "../together.ts";
import { dropVolumes, planMounts } from "./plan-mounts.ts";
import { populateVolumes } from "./populate-volumes.ts";
import { validateSpec } from "./validate-spec.ts";

/** Tries with a made-up name; each further one draws from more names. */
const nameAttempts = 12;

/**
 * Makes a container beside the others, in a directory whose lock is held, and moves it among them as the last step: one that is seen is whole. A creator
 * that is killed leaves a directory that nobody locks, which `check` and the next supervisor remove.
 */
export async function createContainer(
  context: EngineContext,
  asked: ContainerSpec,
  options: CallOptions = {},
): Promise<{ id: string; warnings: string[] }> {
  const warnings = validateSpec(asked);
  const image = await context.images.get(asked.image, options);
  const spec = resolveReferences(context, asked);
  const process = mergeImage(spec, image.config.config ?? {}, asked.image);
  warnings.push(...(await rehearseSpec(context, spec, process)));
  const id = context.newId();
  const staging = join(context.paths.creating, id);
  mkdirSync(staging, { mode: 0o711 });
  await using _lock = await context.locks.acquire(join(staging, "lock"), options);
  const undo: (() => Promise<void> | void)[] = [() => rmSync(staging, { recursive: true, force: true })];
  try {
    const name = await claimName(context, spec.name, id);
    undo.push(() => context.store.names.release(name, id));
    const note = (volumes: string[]) => writeJson(join(staging, "volumes.json"), volumes);
    const mounts = await planMounts(context, spec.mounts, spec.volumesFrom ?? [], process.volumes, {
      ...options,
      note,
    });
    undo.push(() => dropVolumes(context, mounts.madeVolumes));
    const config: ContainerConfig = {
      version: 1,
      id,
      name,
      createdAt: new Date(context.clock.now_ms()).toISOString(),
      imageId: image.id,
      diffIds: image.config.rootfs.diff_ids,
      spec: { ...spec, name, mounts: mounts.specs },
      process,
      mounts: mounts.points,
      anonymousVolumes: mounts.anonymousVolumes,
      hostname: spec.hostname || id.slice(0, 12),
      rootfsPath: "",
      upperPath: "",
      endpoints: endpointSpecs(spec, context.settings?.defaultNetwork ?? "bridge"),
    };
    undo.push(() => removeRoots(context, config));
    const [root] = await together(makeRoots(context, config, image, options), checkNetworks(context, config));
    Object.assign(config, { rootfsPath: root.mergedPath, upperPath: root.upperPath });
    await populateVolumes(context, config, mounts, options);
    writeJson(join(staging, "config.json"), config, { durable: true });
    writeJson(join(staging, "state.json"), freshState);
    rmSync(join(staging, "volumes.json"), { force: true });
    recordLinks(context, config);
    undo.push(() => forgetLinks(context, id));
    options.signal?.throwIfAborted();
    renameSync(staging, context.paths.container(id));
    containerEvent(context, config, "create");
    return { id, warnings };
  } catch (thrown) {
    for (const step of undo.reverse()) await step();
    throw thrown;
  }
}

async function claimName(context: EngineContext, wanted: string | undefined, id: string): Promise<string> {
  if (wanted) {
    const name = checkName(wanted);
    await context.store.names.claim(name, id);
    return name;
  }
  for (let attempt = 0; attempt < nameAttempts; attempt++) {
    const name = suggestName(context.random, attempt);
    try {
      await context.store.names.claim(name, id);
      return name;
    } catch (thrown) {
      if (!isCode(thrown, "already_exists")) throw thrown;
    }
  }
  throw new BerthError("exhausted", `no free name was found in ${nameAttempts} tries`, { hint: "give a name" });
}

/** Other containers are kept by id, so that renaming them breaks nothing. Throws `not_found`. */
function resolveReferences(context: EngineContext, spec: ContainerSpec): ContainerSpec {
  const namespaces = { ...spec.namespaces };
  for (const kind of ["network", "pid", "ipc", "uts", "cgroup"] as const) {
    const reference = sharedWith(namespaces[kind]);
    if (reference !== undefined) namespaces[kind] = `container:${context.store.find(reference)}`;
  }
  const links = spec.links?.map(link => {
    const { target, alias } = parseLink(link);
    const id = context.store.find(target);
    return `${context.store.config(id).name}:${alias}`;
  });
  return { ...spec, namespaces, links };
}

async function makeRoots(
  context: EngineContext,
  config: ContainerConfig,
  image: Image,
  options: CallOptions,
): Promise<WritableRoot> {
  const { layers } = context;
  const make = async (rootId: string, of: Image, storageOptions?: Record<string, string>) => {
    await layers.unpack(
      of.layers.map((blob, index) => ({ blob, diffId: of.config.rootfs.diff_ids[index]! })),
      options,
    );
    return await layers.createRoot(rootId, of.config.rootfs.diff_ids, { ...options, storageOptions });
  };
  const [root] = await together(
    make(config.id, image, config.spec.storageOptions),
    ...imageMounts(config).map(async ({ point, rootId }) =>
      make(rootId, await context.images.get(point.name, options)),
    ),
  );
  return root;
}

async function removeRoots(context: EngineContext, config: ContainerConfig): Promise<void> {
  for (const rootId of [config.id, ...imageMounts(config).map(mount => mount.rootId)]) {
    await context.layers.removeRoot(rootId);
  }
}

/** A network that is not there is better known now than at start. */
async function checkNetworks(context: EngineContext, config: ContainerConfig): Promise<void> {
  for (const endpoint of config.endpoints) await context.networks.get(endpoint.network);
}
