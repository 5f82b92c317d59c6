import { systemClock } from "../../src/base/clock.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { OverlayLayers } from "../../src/drivers/overlay/overlay-layers.ts";
import { DiskContentStore } from "../../src/image/content/content-store.ts";
import type { Descriptor } from "../../src/model/image.ts";

// A process that unpacks layers and is killed: arguments are the store and the layers as JSON.
const [root, json] = process.argv.slice(2) as [string, string];
const stack = JSON.parse(json) as { blob: Descriptor; diffId: string }[];
const locks = new FileLocks(systemClock);
const content = new DiskContentStore({ root: `${root}/content`, locks, clock: systemClock });
const layers = new OverlayLayers({ root, content, locks, clock: systemClock });
process.stdout.write("unpacking\n");
await layers.unpack(stack);
process.stdout.write("unpacked\n");
await layers[Symbol.asyncDispose]();
