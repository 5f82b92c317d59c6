// A process of its own that pulls, for tests that kill it: node images-pull-child.ts <root> <reference>
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { OverlayLayers } from "../../src/drivers/overlay/overlay-layers.ts";
import { DiskContentStore } from "../../src/image/content/content-store.ts";
import { RegistryClients } from "../../src/image/distribution/registry-clients.ts";
import { LocalImageService } from "../../src/image/image-service.ts";

const [root = "", reference = ""] = process.argv.slice(2);
const clock = systemClock;
const locks = new FileLocks(clock);
const content = new DiskContentStore({ root: join(root, "content"), locks, clock });
const layers = new OverlayLayers({ root, content, locks, clock });
const clients = new RegistryClients({ clock, random: Math.random });
const platform = { os: "linux", architecture: "amd64" };
const images = new LocalImageService({ root: join(root, "images"), content, layers, locks, clock, clients, platform });
await images.pull(reference);
await clients[Symbol.asyncDispose]();
await layers[Symbol.asyncDispose]();
