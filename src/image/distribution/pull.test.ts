import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mediaTypes } from "../../model/image.ts";
import type { Progress } from "../../ports/images.ts";
import { type TestImages, testImages } from "../../testing/image-store.ts";
import { type Fault, TestRegistry } from "../../testing/registry.ts";
import { sampleImage, sha256 } from "../../testing/sample-images.ts";

let registry: TestRegistry;
let store: TestImages;
beforeEach(async () => {
  registry = await TestRegistry.start();
  store = await testImages();
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const bigImage = () => sampleImage({ layers: [{ big: randomBytes(300_000) }, { small: "x" }], compression: "gzip" });

test.each(["gzip", "zstd", "none"] as const)(
  "an image with %s layers is pulled, found again, and told in docker's words",
  async compression => {
    const sample = sampleImage({ compression });
    registry.add("team/app", "1", sample);
    const said: Progress[] = [];
    const image = await store.images.pull(`${registry.domain}/team/app:1`, {
      onProgress: progress => said.push(progress),
    });
    expect(image.id).toBe(sample.id);
    expect(image.tags).toEqual([`${registry.domain}/team/app:1`]);
    expect(image.repoDigests).toEqual([`${registry.domain}/team/app@${sample.manifest.digest}`]);
    expect((await store.images.get(image.repoDigests[0]!)).id).toBe(sample.id);
    const words = said.map(({ status }) => status);
    expect(words[0]).toBe("Pulling from team/app");
    expect(words).toContain("Pulling fs layer");
    expect(words).toContain("Download complete");
    expect(words.at(-1)).toBe(`Status: Downloaded newer image for ${registry.domain}/team/app:1`);
  },
);

test("a second pull fetches no layer and says that the image is up to date", async () => {
  registry.add("app", "latest", sampleImage());
  await store.images.pull(`${registry.domain}/app`);
  const before = registry.count(/GET .*\/blobs\//);
  const said: string[] = [];
  await store.images.pull(`${registry.domain}/app`, { onProgress: ({ status }) => said.push(status) });
  expect(registry.count(/GET .*\/blobs\//)).toBe(before);
  expect(said.at(-1)).toBe(`Status: Image is up to date for ${registry.domain}/app:latest`);
});

test("of an index the host's own platform is taken, or the one asked for", async () => {
  const amd64 = sampleImage({ layers: [{ arch: "amd64" }] });
  const arm = (variant: string) =>
    sampleImage({ layers: [{ arch: variant }], config: { architecture: "arm", variant } });
  const [v6, v7] = [arm("v6"), arm("v7")];
  const entries = [
    { ...amd64.manifest, platform: { os: "linux", architecture: "amd64" } },
    { ...v6.manifest, platform: { os: "linux", architecture: "arm", variant: "v6" } },
    { ...v7.manifest, platform: { os: "linux", architecture: "arm", variant: "v7" } },
    { ...amd64.manifest, platform: { os: "unknown", architecture: "unknown" } },
  ];
  for (const image of [amd64, v6, v7]) registry.add("multi", "x", image);
  const digest = registry.addManifest("multi", "1", mediaTypes.ociIndex, { schemaVersion: 2, manifests: entries });
  const name = `${registry.domain}/multi:1`;
  const image = await store.images.pull(name);
  expect(image.id).toBe(amd64.id);
  expect(image.repoDigests).toEqual([`${registry.domain}/multi@${digest}`]);
  expect((await store.images.pull(name, { platform: { os: "linux", architecture: "arm" } })).id).toBe(v7.id);
  expect((await store.images.pull(name, { platform: { os: "linux", architecture: "arm", variant: "v6" } })).id).toBe(
    v6.id,
  );
  await expect(store.images.pull(name, { platform: { os: "linux", architecture: "s390x" } })).rejects.toMatchObject({
    code: "not_found",
    message: expect.stringContaining("it offers linux/amd64, linux/arm/v6, linux/arm/v7"),
  });
  expect((await store.images.resolveRemote(name)).platforms).toHaveLength(3);
});

test("pulls at once of images that share a layer fetch it once", async () => {
  const shared = { shared: randomBytes(200_000) };
  const first = sampleImage({ layers: [shared, { own: "1" }] });
  const second = sampleImage({ layers: [shared, { own: "2" }] });
  registry.add("first", "1", first);
  registry.add("second", "1", second);
  await Promise.all(["first", "second", "first"].map(name => store.images.pull(`${registry.domain}/${name}:1`)));
  const digest = first.layers[0]!.digest;
  expect(registry.requests.filter(({ method, path }) => method === "GET" && path.endsWith(digest))).toHaveLength(1);
});

describe("a registry that misbehaves once is followed up", () => {
  const faults: [string, RegExp, Fault, number][] = [
    ["429 for the manifest", /GET .*manifests/, { kind: "status", status: 429, headers: { "retry-after": "0" } }, 2],
    ["503 for a blob", /GET .*blobs/, { kind: "status", status: 503 }, 3],
    ["a connection that breaks in the middle", /GET .*blobs/, { kind: "reset", after_bytes: 100_000 }, 1],
    ["a connection that breaks before the first byte", /GET .*manifests/, { kind: "reset", after_bytes: 0 }, 1],
    ["a stall in the middle", /GET .*blobs/, { kind: "stall", after_bytes: 1000 }, 1],
    ["a blob that ends early", /GET .*blobs/, { kind: "truncated", after_bytes: 1000 }, 1],
    ["a corrupt blob", /GET .*blobs/, { kind: "corrupt" }, 1],
    ["a wrong length", /GET .*blobs/, { kind: "length", declared: 7 }, 1],
  ];
  test.each(faults)("%s", async (_, pattern, fault, times) => {
    const sample = bigImage();
    registry.add("app", "1", sample);
    registry.fail(pattern, fault, times);
    expect((await store.images.pull(`${registry.domain}/app:1`)).id).toBe(sample.id);
  });
});

test("a download goes on where it broke off, also when the registry ignores ranges", async () => {
  const sample = bigImage();
  registry.add("app", "1", sample);
  const big = sample.layers[0]!.digest;
  registry.fail(new RegExp(`GET .*${big}`), { kind: "reset", after_bytes: 200_000 });
  registry.fail(new RegExp(`GET .*${big}`), { kind: "ignore-range" });
  await store.images.pull(`${registry.domain}/app:1`);
  const ranges = registry.requests.filter(({ path }) => path.endsWith(big)).map(({ headers }) => headers.range);
  expect(ranges).toHaveLength(2);
  expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
});

test("a connection that breaks again and again but moves on is followed to the end", async () => {
  const sample = bigImage();
  registry.add("app", "1", sample);
  registry.fail(new RegExp(`GET .*${sample.layers[0]!.digest}`), { kind: "reset", after_bytes: 30_000 }, 9);
  expect((await store.images.pull(`${registry.domain}/app:1`)).id).toBe(sample.id);
}, 30_000);

describe("a registry that goes on misbehaving is given up with a reason, and nothing is named", () => {
  const faults: [string, RegExp, Fault, string, RegExp][] = [
    ["500", /GET .*manifests/, { kind: "status", status: 500 }, "unavailable", /answered 500: TESTED/],
    ["429", /GET .*manifests/, { kind: "status", status: 429 }, "unavailable", /429/],
    ["403", /GET .*manifests/, { kind: "status", status: 403 }, "forbidden", /access denied/],
    ["404 for a blob", /GET .*blobs/, { kind: "status", status: 404 }, "not_found", /fetching blob sha256:/],
    ["corrupt blobs", /GET .*blobs/, { kind: "corrupt" }, "corrupt", /got \d+ bytes with sha256/],
    ["a lie about the length", /GET .*blobs/, { kind: "length", declared: 7 }, "corrupt", /sends 7 bytes/],
    ["a lie about a manifest's length", /GET .*manifests/, { kind: "length", declared: 7 }, "", /./],
  ];
  test.each(faults)(
    "%s",
    async (_, pattern, fault, code, message) => {
      registry.add("app", "1", bigImage());
      registry.fail(pattern, fault, 1000);
      const pulled = store.images.pull(`${registry.domain}/app:1`);
      await expect(pulled).rejects.toThrow(message);
      if (code !== "") await expect(pulled).rejects.toMatchObject({ code });
      expect(await store.images.list()).toEqual([]);
    },
    60_000,
  );
});

describe("content that does not fit is refused", () => {
  test("a layer whose diff id is another", async () => {
    registry.add(
      "app",
      "1",
      sampleImage({ config: { rootfs: { type: "layers", diff_ids: [sha256("a"), sha256("b")] } } }),
    );
    await expect(store.images.pull(`${registry.domain}/app:1`)).rejects.toMatchObject({ code: "corrupt" });
    expect(await store.images.list()).toEqual([]);
  });

  test.each([
    ["a manifest that is not JSON", Buffer.from("<html>"), "corrupt"],
    ["a manifest of schema 1", Buffer.from('{"schemaVersion":1,"fsLayers":[]}'), "unsupported"],
    ["a manifest of more than 4 MiB", Buffer.alloc(5 * 1024 * 1024, 32), "corrupt"],
    [
      "a path as digest",
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          config: { mediaType: "x", digest: "sha256:../../../etc/passwd", size: 1 },
          layers: [],
        }),
      ),
      "corrupt",
    ],
    [
      "a negative size",
      Buffer.from(
        JSON.stringify({ schemaVersion: 2, config: { mediaType: "x", digest: sha256("x"), size: -1 }, layers: [] }),
      ),
      "corrupt",
    ],
    [
      "an artifact",
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          config: { mediaType: "application/vnd.cncf.helm.config.v1+json", digest: sha256("x"), size: 1 },
          layers: [],
        }),
      ),
      "unsupported",
    ],
    [
      "a configuration of a gigabyte",
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          config: { mediaType: mediaTypes.ociConfig, digest: sha256("x"), size: 1e9 },
          layers: [],
        }),
      ),
      "corrupt",
    ],
  ])("%s", async (_, data, code) => {
    registry.addManifest("app", "1", mediaTypes.ociManifest, data);
    await expect(store.images.pull(`${registry.domain}/app:1`)).rejects.toMatchObject({ code });
  });
});

test("cancelling ends a stalled pull at once, and the next one goes on from there", async () => {
  const sample = bigImage();
  registry.add("app", "1", sample);
  const big = sample.layers[0]!.digest;
  registry.fail(new RegExp(`GET .*${big}`), { kind: "stall", after_bytes: 100_000 });
  const controller = new AbortController();
  const pulling = store.images.pull(`${registry.domain}/app:1`, { signal: controller.signal });
  pulling.catch(() => {});
  await expect.poll(() => registry.count(new RegExp(`GET .*${big}`))).toBe(1);
  controller.abort(new Error("enough"));
  await expect(pulling).rejects.toThrow("enough");
  expect((await store.images.pull(`${registry.domain}/app:1`)).id).toBe(sample.id);
});

test("an unreachable registry is said so, with what to do", async () => {
  await expect(store.images.pull("127.0.0.1:1/app")).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("cannot be reached"),
    hint: expect.stringContaining("check the name"),
  });
});
