import type { CallOptions } from "../../ports/content.ts";
import type { DiskUsage } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { listContainers } from "../inspect/list-containers.ts";
import { usersOfVolume } from "../lifecycle/volume-users.ts";

/** What lies on disk, and what of it could go: sizes of layers are counted once however many images share them. */
export async function diskUsage(context: EngineContext, options: CallOptions): Promise<DiskUsage> {
  const { images, layers, volumes, store } = context;
  const [allImages, allContainers, allVolumes] = await Promise.all([
    images.list(options),
    listContainers(context, { ...options, all: true }),
    volumes.list(),
  ]);
  const layerSizes = new Map<string, number>();
  const chains = new Map<string, string[]>();
  for (const image of allImages) {
    const diffIds = image.config.rootfs.diff_ids;
    const sizes = await layers.sizes(diffIds);
    const chain = diffIds.map((_, index) => diffIds.slice(0, index + 1).join(" "));
    chain.forEach((key, index) => {
      layerSizes.set(key, sizes[index] ?? 0);
    });
    chains.set(image.id, chain);
  }
  const uses = new Map<string, number>();
  for (const key of [...chains.values()].flat()) uses.set(key, (uses.get(key) ?? 0) + 1);
  const sum = (keys: string[]) => keys.reduce((total, key) => total + (layerSizes.get(key) ?? 0), 0);
  return {
    layers_bytes: sum([...layerSizes.keys()]),
    images: allImages.map(image => {
      const chain = chains.get(image.id) ?? [];
      return {
        image,
        shared_bytes: sum(chain.filter(key => uses.get(key)! > 1)),
        unique_bytes: sum(chain.filter(key => uses.get(key) === 1)),
        containers: allContainers.filter(container => container.imageId === image.id).length,
      };
    }),
    containers: await Promise.all(
      allContainers.map(async summary => {
        const writable_bytes = await layers.changesSize(summary.id, options);
        const sizes = await layers.sizes(store.tryConfig(summary.id)?.diffIds ?? []);
        return { summary, writable_bytes, rootfs_bytes: sizes.reduce((total, size) => total + size, writable_bytes) };
      }),
    ),
    volumes: await Promise.all(
      allVolumes.map(async ({ name, driver, labels, mountpoint, createdAt }) => ({
        ...{ name, driver, labels, mountpoint, createdAt },
        size_bytes: await volumes.size_bytes(name),
        references: usersOfVolume(context, name).length,
      })),
    ),
  };
}
