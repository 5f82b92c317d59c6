import type { Image } from "../../model/image.ts";
import type { HistoryLine } from "../../ports/images.ts";
import { familiarName } from "../reference.ts";

/** Newest step first. `sizes_bytes` are of the layers, lowest first; steps that made no layer have none. */
export function historyLines(image: Image, sizes_bytes: number[]): HistoryLine[] {
  const steps = image.config.history ?? image.layers.map(() => ({ created: image.config.created }));
  let layer = 0;
  const lines = steps.map((step): HistoryLine => {
    const size_bytes = "empty_layer" in step && step.empty_layer ? 0 : (sizes_bytes[layer++] ?? 0);
    return { ...step, id: "<missing>", size_bytes, tags: [] };
  });
  const top = lines.at(-1);
  if (top !== undefined) Object.assign(top, { id: image.id, tags: image.tags.map(familiarName) });
  return lines.reverse();
}
