import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RegistryFixture } from "../../src/testing/registry-fixture.ts";
import { BuildFixture } from "./build-fixture.ts";

let fixture: BuildFixture;
const registry = new RegistryFixture();
let domain: string;
beforeAll(async () => {
  fixture = await BuildFixture.make();
  await registry.start();
  domain = registry.base.replace("http://", "");
  fixture.write({ f: "content" });
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  await registry.close();
});

const text = 'FROM busybox\nCOPY f /f\nRUN echo made > /made\nCMD ["cat", "/f"]\n';

test("an archive for docker holds the image with its tags, and leaves no image on the host", async () => {
  const path = join(fixture.base, "docker.tar");
  const { imageId, image } = await fixture.build(text, {
    tags: ["saved:1"],
    outputs: [{ type: "docker", target: { path } }],
  });
  expect(image).toBeUndefined();
  expect(await fixture.images.find("saved:1")).toBeUndefined();
  const [loaded] = await fixture.images.load(createReadStream(path));
  expect(loaded).toMatchObject({ names: ["saved:1"], image: { id: imageId } });
});

test("an OCI archive is read by skopeo; several outputs come from one build", async () => {
  const path = join(fixture.base, "oci.tar");
  const stream = new PassThrough();
  let tar = 0;
  stream.on("data", chunk => {
    tar += chunk.length;
  });
  const { imageId } = await fixture.build(text, {
    tags: ["both:1"],
    outputs: [{ type: "oci", target: { path } }, { type: "tar", target: { stream } }, { type: "image" }],
  });
  const inspected = JSON.parse(
    execFileSync("skopeo", ["inspect", "--config", `oci-archive:${path}`], { encoding: "utf8" }),
  );
  expect(inspected.config.Cmd).toEqual(["cat", "/f"]);
  expect((await fixture.images.get("both:1")).id).toBe(imageId);
  expect(tar).toBeGreaterThan(100_000);
});

test("local writes the root file system into a directory", async () => {
  const path = join(fixture.base, "out");
  await fixture.build(
    "FROM busybox AS make\nRUN mkdir -p /r/d && echo x > /r/d/f && ln -s f /r/d/l\nFROM scratch\nCOPY --from=make /r /\n",
    { outputs: [{ type: "local", path }] },
  );
  expect(readdirSync(join(path, "d"))).toEqual(["f", "l"]);
  expect(readFileSync(join(path, "d/f"), "utf8")).toBe("x\n");
  expect(lstatSync(join(path, "d/l")).isSymbolicLink()).toBe(true);
});

test("all tags are pushed, and pulled again elsewhere", async () => {
  const tags = [`${domain}/team/app:1`, `${domain}/team/app:latest`];
  const { imageId } = await fixture.build(text, { tags, outputs: [{ type: "image", push: true }] });
  await using other = await BuildFixture.make();
  expect((await other.images.pull(tags[1]!)).id).toBe(imageId);
  await expect(fixture.build(text, { outputs: [{ type: "image", push: true }] })).rejects.toThrow(
    "nothing to push: the build has no tag",
  );
});

describe("reproducible", () => {
  test("SOURCE_DATE_EPOCH: the same input gives the same digest on another host, whatever the times of its files", async () => {
    const args = { SOURCE_DATE_EPOCH: "1700000000" };
    const first = await fixture.build(text, { args });
    await using other = new BuildFixture();
    await other.images.load(await fixture.images.save(["busybox"]));
    other.write({ f: "content" });
    const second = await other.build(text, { args });
    expect(second.cachedSteps).toBe(0);
    expect(second.digest).toBe(first.digest);
    expect((await other.images.get(second.imageId)).createdAt).toBe("2023-11-14T22:13:20.000Z");
  });
});

describe("caches elsewhere", () => {
  const long = "FROM busybox AS make\nRUN echo slow > /slow\nFROM busybox\nCOPY f /f\nCOPY --from=make /slow /quick\n";

  test.each([
    ["a registry", () => ({ type: "registry" as const, reference: `${domain}/cache/app:main` })],
    ["a directory", () => ({ type: "local" as const, path: join(fixture.base, "cache") })],
  ])("%s: a host that never built it has everything cached", async (_, location) => {
    const { imageId } = await fixture.build(long, { cacheTo: [location()] });
    await using other = await BuildFixture.make();
    other.write({ f: "content" });
    const again = await other.build(long, { cacheFrom: [location()], args: {} });
    expect(again.cachedSteps).toBe(3);
    expect(again.output).toBe("");
    expect((await other.images.get(again.imageId)).config.rootfs).toEqual(
      (await fixture.images.get(imageId)).config.rootfs,
    );
  });

  test("inline: the pushed image carries the cache of its own layers", async () => {
    const tag = `${domain}/inline/app:1`;
    await fixture.build(long, { tags: [tag], outputs: [{ type: "image", push: true }], cacheTo: [{ type: "inline" }] });
    await using other = await BuildFixture.make();
    other.write({ f: "content" });
    const again = await other.build(long, { cacheFrom: [{ type: "registry", reference: tag }] });
    expect(again.cached).toContain("COPY f /f");
    expect(again.ran).toContain("RUN echo slow > /slow");
  });

  test("a cache that is not there or does not answer is a warning", async () => {
    const { warnings } = await fixture.build(text, {
      cacheFrom: [
        { type: "registry", reference: `${domain}/no/such` },
        { type: "local", path: join(fixture.base, "nothing") },
      ],
    });
    expect(warnings).toHaveLength(2);
    expect(existsSync(join(fixture.base, "nothing"))).toBe(false);
  });
});
