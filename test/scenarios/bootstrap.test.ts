import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { processEnvironment } from "../../src/base/env.ts";
import { DebianSource } from "../../src/drivers/bootstrap/debian-source.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { OverlayLayers } from "../../src/drivers/overlay/overlay-layers.ts";
import { DiskContentStore } from "../../src/image/content/content-store.ts";

const suite = "docker.io/library/debian:bookworm-slim";
let dir: string;
let layers: OverlayLayers;
let source: DebianSource;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "berth-bootstrap-"));
  const locks = new FileLocks(systemClock);
  const content = new DiskContentStore({ root: join(dir, "content"), locks, clock: systemClock });
  layers = new OverlayLayers({ root: dir, content, locks, clock: systemClock });
  source = new DebianSource({
    clock: systemClock,
    environment: processEnvironment(),
    directory: join(dir, "bootstrap"),
  });
});
afterAll(async () => {
  for (const id of await layers.roots()) await layers.removeRoot(id);
  await layers[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

test("one suite twice on one day has one digest, and apt-get update works in it", { timeout: 600_000 }, async () => {
  const made: string[] = [];
  const steps: string[] = [];
  for (const onProgress of [({ status }: { status: string }) => steps.push(status), undefined]) {
    await using produced = await source.produce(suite, { onProgress });
    made.push((await layers.ingest(produced.tar)).diffId);
  }
  expect(made[1]).toBe(made[0]);
  expect(steps.some(step => step.startsWith("installing"))).toBe(true);
  expect(readdirSync(join(dir, "bootstrap"))).toEqual([]);

  const { mergedPath } = await layers.createRoot("debian", [made[0]!]);
  for (const hostly of ["etc/resolv.conf", "etc/hostname", "etc/machine-id", "var/log/dpkg.log"]) {
    expect(existsSync(join(mergedPath, hostly)), hostly).toBe(false);
  }
  copyFileSync("/etc/resolv.conf", join(mergedPath, "etc/resolv.conf"));
  const update = execFileSync("chroot", [mergedPath, "apt-get", "update"], { encoding: "utf8" });
  expect(update).toMatch(/bookworm-security/);
  const install = ["chroot", mergedPath, "apt-get", "install", "-y", "--no-install-recommends", "hello"];
  execFileSync("env", ["DEBIAN_FRONTEND=noninteractive", ...install], { stdio: "pipe" });
  expect(execFileSync("chroot", [mergedPath, "hello"], { encoding: "utf8" })).toBe("Hello, world!\n");
});

test("cancelling a bootstrap stops it and leaves no files", { timeout: 120_000 }, async () => {
  const stop = new AbortController();
  {
    await using produced = await source.produce(suite, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(layers.ingest(produced.tar)).rejects.toMatchObject({ code: "cancelled" });
  }
  expect(readdirSync(join(dir, "bootstrap"))).toEqual([]);
});

test("a suite that the mirror has not is said so", { timeout: 120_000 }, async () => {
  await using produced = await source.produce("docker.io/library/debian:nosuchsuite");
  await expect(layers.ingest(produced.tar)).rejects.toMatchObject({
    code: "not_found",
    message: /nosuchsuite|Release/,
  });
});
