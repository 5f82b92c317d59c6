import { randomBytes } from "node:crypto";
import { mkdirSync, statfsSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestRegistry } from "../../src/testing/registry.ts";
import { dockerArchiveOf, sampleImage, streamOf, tarOf } from "../../src/testing/sample-images.ts";
import { ImagesFixture, run } from "./images-fixture.ts";

const size_bytes = 8 * 1024 * 1024;
let fixture: ImagesFixture;
let disk: string;
beforeAll(async () => {
  fixture = new ImagesFixture();
  disk = fixture.path("disk");
  mkdirSync(disk);
  await run("mount", ["-t", "tmpfs", "-o", `size=${size_bytes}`, "tmpfs", disk]);
});
afterAll(async () => {
  await run("umount", ["-l", disk]);
  await fixture.close();
});

const used_bytes = () => {
  const { bsize, blocks, bfree } = statfsSync(disk);
  return bsize * (blocks - bfree);
};

const large = () => sampleImage({ layers: [{ small: "x" }, { big: randomBytes(10_000_000) }] });

test("a disk that fills up during a pull is said so; the space comes back, and what fits is pulled next", async () => {
  await using registry = await TestRegistry.start();
  registry.add("large", "1", large());
  registry.add("small", "1", sampleImage());
  const host = fixture.host(disk);
  await expect(host.images.pull(`${registry.domain}/large:1`)).rejects.toMatchObject({
    code: "exhausted",
    hint: expect.stringContaining("prune"),
  });
  expect(await host.images.list()).toEqual([]);
  expect(used_bytes()).toBeLessThan(1024 * 1024);
  await host.images.pull(`${registry.domain}/small:1`);
});

test("a disk that fills up during an unpack leaves no layer and no name", async () => {
  await using registry = await TestRegistry.start();
  // Compresses to little, unpacks to more than there is.
  registry.add("wide", "1", sampleImage({ layers: [{ wide: Buffer.alloc(20_000_000, "berth ") }] }));
  const host = fixture.host(disk);
  await expect(host.images.pull(`${registry.domain}/wide:1`)).rejects.toMatchObject({ code: "exhausted" });
  expect((await host.images.list()).map(image => image.tags)).toHaveLength(1);
  expect(used_bytes()).toBeLessThan(2 * 1024 * 1024);
});

test("a disk that fills up during a load is said so", async () => {
  const host = fixture.host(disk);
  const files = [{ big: randomBytes(10_000_000) }];
  const archive = dockerArchiveOf(sampleImage({ layers: files }), files.map(tarOf), ["large:1"]);
  await expect(host.images.load(streamOf(archive))).rejects.toMatchObject({ code: "exhausted" });
  expect(used_bytes()).toBeLessThan(2 * 1024 * 1024);
});
