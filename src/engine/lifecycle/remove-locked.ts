import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asBerthError, isCode } from "../../base/errors.ts";
import type { EngineContext } from "../context.ts";
import { forgetLinks } from "../start/links.ts";
import type { ContainerConfig } from "../state/record.ts";
import { together } from "../together.ts";
import { containerEvent } from "./attributes.ts";
import { imageMounts } from "./image-mounts.ts";
import { userOfVolume } from "./volume-users.ts";

/**
 * Removes a container that does not run. It is renamed away first: from then on it is gone for everybody, its name free, and what a kill leaves behind is
 * found in one place. Call under the container's lock, which goes with it.
 */
export async function removeLocked(
  context: EngineContext,
  config: ContainerConfig,
  options: { volumes?: boolean } = {},
): Promise<void> {
  const { paths, store } = context;
  const grave = join(paths.removing, config.id);
  // A remover that is killed has told whoever goes on what was asked for.
  if (options.volumes) writeFileSync(join(paths.container(config.id), "with-volumes"), "");
  renameSync(paths.container(config.id), grave);
  store.names.release(config.name, config.id);
  forgetLinks(context, config.id);
  await removeParts(context, config, options.volumes ?? false);
  rmSync(grave, { recursive: true, force: true });
  containerEvent(context, config, "destroy");
}

/** Everything of a container outside its own directory; every step may be repeated. */
export async function removeParts(context: EngineContext, config: ContainerConfig, volumes: boolean): Promise<void> {
  const { layers, networks } = context;
  await together(
    layers.removeRoot(config.id),
    networks.release(config.id),
    together(...imageMounts(config).map(mount => layers.removeRoot(mount.rootId))),
  );
  if (volumes) for (const name of config.anonymousVolumes) await removeAnonymous(context, name);
}

/** Another container may have taken it over with --volumes-from: then it stays. */
export async function removeAnonymous(context: EngineContext, name: string): Promise<void> {
  try {
    await context.volumes.remove(name, { force: true, inUse: async volume => userOfVolume(context, volume) });
  } catch (thrown) {
    if (!isCode(thrown, "in_use")) throw asBerthError(thrown);
  }
}
