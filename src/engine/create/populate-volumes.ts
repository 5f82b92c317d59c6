import { join } from "node:path";
import { isCode } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import type { ContainerConfig } from "../state/record.ts";
import type { PlannedMounts } from "./plan-mounts.ts";

/**
 * An empty volume gets what the image has at its target, as Docker does it: at creation, so that also a container that never runs can pass its data on.
 */
export async function populateVolumes(
  context: EngineContext,
  config: ContainerConfig,
  planned: PlannedMounts,
  options: CallOptions,
): Promise<void> {
  const wanted = planned.specs.filter(spec => spec.type === "volume" && !spec.noCopy && !spec.subpath);
  if (wanted.length === 0) return;
  const { layers, rootFiles, volumes } = context;
  const { mergedPath } = await layers.mount(config.id, options);
  try {
    for (const spec of wanted) {
      const point = config.mounts.find(mount => mount.target === spec.target);
      const source = await inImage(spec.target);
      if (point && source) await volumes.populate(point.name, join(mergedPath, source), options);
    }
  } finally {
    await layers.unmount(config.id);
  }

  async function inImage(target: string): Promise<string | undefined> {
    try {
      return await rootFiles.resolve(mergedPath, target);
    } catch (thrown) {
      if (isCode(thrown, "not_found")) return undefined;
      throw thrown;
    }
  }
}
