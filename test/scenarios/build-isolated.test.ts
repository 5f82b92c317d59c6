import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import { createEngine } from "../../src/main/create-engine.ts";
import { importBusybox } from "./busybox-image.ts";

const base = mkdtempSync("/tmp/berth-isolated-");
const settings = {
  root: join(base, "root"),
  run: join(base, "run"),
  instance: `b${process.pid % 100000}`,
  debug: false,
};
let parts: ReturnType<typeof createEngine>;
beforeAll(async () => {
  parts = createEngine(settings, process.env, silentLogger);
  await importBusybox(parts.images);
});
afterAll(async () => {
  await parts.engine.system.check({ repair: true });
  await parts.engine[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
});

const text =
  "FROM busybox\nRUN --mount=type=cache,target=/c ip -o addr show eth0 | head -1 && echo x >> /c/n && cat /c/n > /made\nCOPY <<EOF /f\nf\nEOF\n";
const input = { context: { kind: "empty" as const }, dockerfile: { text }, tags: ["isolated:1"], isolated: true };

test("an isolated build stands on the host's images, gives its own to the host, and leaves nothing else", async () => {
  const first = await parts.builder.build(input);
  expect((await parts.images.get("isolated:1")).id).toBe(first.imageId);
  expect(first.image?.layers).toHaveLength(3);
  expect(await parts.builder.cacheUsage()).toEqual([]);
  const second = await parts.builder.build(input);
  expect(second.cachedSteps).toBe(0);
  expect(readdirSync(join(settings.root, "build/isolated"))).toEqual([]);
  expect((await parts.engine.networks.list()).map(network => network.name).sort()).toEqual(["bridge", "host", "none"]);
});

test("what fails inside takes everything down too, and leaves the host's layers alone", async () => {
  await expect(
    parts.builder.build({ ...input, dockerfile: { text: "FROM busybox\nRUN rm -rf /bin/* ; exit 9\n" } }),
  ).rejects.toMatchObject({ details: { exitCode: 9 } });
  expect(readdirSync(join(settings.root, "build/isolated"))).toEqual([]);
  const { cachedSteps } = await parts.builder.build({ ...input, isolated: false, tags: [] });
  expect(cachedSteps).toBe(0);
});

test("what a killed isolated build left is taken down by the next builder", async () => {
  const left = join(settings.root, "build/isolated/0123456789ab");
  mkdirSync(join(left, "content"), { recursive: true });
  writeFileSync(`${left}.lock`, "");
  const again = createEngine(settings, process.env, silentLogger);
  await again.builder.build({ context: { kind: "empty" }, dockerfile: { text: "FROM busybox\n" } });
  expect(existsSync(left)).toBe(false);
  expect(existsSync(`${left}.lock`)).toBe(false);
  await again.engine[Symbol.asyncDispose]();
});
