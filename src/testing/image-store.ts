import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { FileLocks } from "../drivers/linux/file-locks.ts";
import { DiskContentStore } from "../image/content/content-store.ts";
import { RegistryClients, type RegistryClientsOptions } from "../image/distribution/registry-clients.ts";
import { LocalImageService, type LocalImageServiceOptions } from "../image/image-service.ts";
import { MemoryLayers } from "./memory-layers.ts";

export interface TestImages extends AsyncDisposable {
  images: LocalImageService;
  content: DiskContentStore;
  layers: MemoryLayers;
  root: string;
}

/** Retries wait for nothing. */
const impatientClock: Clock = { ...systemClock, sleep: async () => {} };

/** An image service in a directory of its own, with layers in memory. Registries get a second before they count as stalled. */
export async function testImages(
  options: Partial<LocalImageServiceOptions> & { registries?: Partial<RegistryClientsOptions> } = {},
): Promise<TestImages> {
  const root = await mkdtemp(join(tmpdir(), "berth-image-"));
  const { registries, clock = systemClock, ...rest } = options;
  const locks = new FileLocks(systemClock);
  const content = new DiskContentStore({ root: join(root, "content"), locks, clock });
  const layers = new MemoryLayers(content);
  const platform = { os: "linux", architecture: "amd64" };
  const clients = new RegistryClients({ clock: impatientClock, random: () => 0, stall_ms: 1000, ...registries });
  const own = { root: join(root, "images"), content, layers, locks, clock, platform, clients };
  const dispose = async () => {
    await clients[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
  };
  return { images: new LocalImageService({ ...own, ...rest }), content, layers, root, [Symbol.asyncDispose]: dispose };
}
