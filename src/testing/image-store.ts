import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { systemClock } from "../base/clock.ts";
import { FileLocks } from "../drivers/linux/file-locks.ts";
import { DiskContentStore } from "../image/content/content-store.ts";
import { LocalImageService, type LocalImageServiceOptions } from "../image/image-service.ts";
import { MemoryLayers } from "./memory-layers.ts";

export interface TestImages extends AsyncDisposable {
  images: LocalImageService;
  content: DiskContentStore;
  layers: MemoryLayers;
  root: string;
}

/** An image service in a directory of its own, with layers in memory. */
export async function testImages(
  options: Partial<LocalImageServiceOptions> & { clock?: Clock } = {},
): Promise<TestImages> {
  const root = await mkdtemp(join(tmpdir(), "berth-image-"));
  const clock = options.clock ?? systemClock;
  const locks = new FileLocks(systemClock);
  const content = new DiskContentStore({ root: join(root, "content"), locks, clock });
  const layers = new MemoryLayers(content);
  const platform = { os: "linux", architecture: "amd64" };
  const images = new LocalImageService({
    root: join(root, "images"),
    content,
    layers,
    locks,
    clock,
    platform,
    ...options,
  });
  return { images, content, layers, root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}
