import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { FileLocks } from "../../drivers/linux/file-locks.ts";
import { contentStoreSuite } from "../../ports/content.suite.ts";
import { DiskContentStore } from "./content-store.ts";

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "berth-image-content-"));
});
afterAll(() => rm(base, { recursive: true }));

contentStoreSuite("DiskContentStore", async () => {
  const root = await mkdtemp(join(base, "store-"));
  return { open: () => new DiskContentStore({ root, locks: new FileLocks(systemClock), clock: systemClock }) };
});
