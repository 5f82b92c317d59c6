import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestRegistry } from "../../src/testing/registry.ts";
import { sampleImage } from "../../src/testing/sample-images.ts";
import { ImagesFixture } from "./images-fixture.ts";

let fixture: ImagesFixture;
beforeAll(() => {
  fixture = new ImagesFixture();
});
afterAll(() => fixture.close());

const sample = sampleImage({ layers: [{ small: "x" }, { big: randomBytes(4_000_000) }, { top: "y" }] });
const big = sample.layers[1]!.digest;

function startPull(root: string, reference: string): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, "images-pull-child.ts"), root, reference], {
    stdio: "inherit",
  });
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

test("a pull that is killed in the middle of a layer is taken up there by the next one", async () => {
  await using registry = await TestRegistry.start();
  registry.add("app", "1", sample);
  registry.fail(new RegExp(`GET .*${big}`), { kind: "stall", after_bytes: 3_000_000 });
  const host = fixture.host();
  const child = startPull(host.root, `${registry.domain}/app:1`);
  const ingests = () => readdirSync(join(host.root, "content", "ingest")).filter(name => name.endsWith(".data"));
  await expect.poll(() => registry.count(new RegExp(`GET .*${big}`)), { timeout: 30_000 }).toBe(1);
  const received_bytes = () =>
    ingests().reduce((sum, file) => sum + statSync(join(host.root, "content", "ingest", file)).size, 0);
  await expect.poll(received_bytes, { timeout: 30_000 }).toBeGreaterThan(1_000_000);
  await kill(child);
  expect(await host.images.list()).toEqual([]);
  expect((await host.images.pull(`${registry.domain}/app:1`)).id).toBe(sample.id);
  expect(registry.requests.filter(({ path }) => path.endsWith(big)).at(-1)?.headers.range).toMatch(
    /^bytes=[1-9]\d{6}-$/,
  );
  expect(ingests()).toEqual([]);
});

test("killed at any time, the next pull succeeds and leaves nothing half", async () => {
  await using registry = await TestRegistry.start();
  registry.add("app", "1", sample);
  const name = `${registry.domain}/app:1`;
  for (let tries = 1; tries <= 8; tries++) {
    const host = fixture.host();
    const child = startPull(host.root, name);
    // Each try gets one request further than the one before.
    const seen = registry.requests.length;
    await expect
      .poll(() => child.exitCode !== null || registry.requests.length >= seen + tries, { timeout: 30_000, interval: 1 })
      .toBe(true);
    await kill(child);
    const image = await host.images.pull(name);
    expect(image.id).toBe(sample.id);
    await host.images.remove(name);
    expect(await host.images.diskUsage()).toMatchObject({ images: 0, total_bytes: 0 });
  }
});
