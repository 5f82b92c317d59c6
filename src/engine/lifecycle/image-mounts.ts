import type { MountPoint } from "../../model/container.ts";
import type { ContainerConfig } from "../state/record.ts";

export interface ImageMount {
  point: MountPoint;
  /** Id of the root (see LayerStore) that shows the image. */
  rootId: string;
}

/** `--mount type=image`: each is a root of its own over the image's layers, so that it outlives the process that made it. */
export function imageMounts(config: Pick<ContainerConfig, "id" | "mounts">): ImageMount[] {
  return config.mounts
    .filter(point => point.type === "image")
    .map((point, index) => ({ point, rootId: `${config.id}-image${index}` }));
}

/** The container that a root of the layer store belongs to. */
export function ownerOfRoot(rootId: string): string {
  return rootId.replace(/-image\d+$/, "");
}
