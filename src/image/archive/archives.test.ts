import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { testImages } from "../../testing/image-store.ts";
import { bytesOf, dockerArchiveOf, sampleImage, sha256, streamOf, tarOf } from "../../testing/sample-images.ts";

const files: Record<string, string>[] = [{ "etc/hello": "hello\n" }, { "etc/world": "world\n" }];
const tars = files.map(tarOf);

test.each([
  ["plain", (data: Buffer) => data],
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
])("a docker archive is loaded with its names and keeps its id (%s)", async (_, compress) => {
  await using store = await testImages();
  const sample = sampleImage({ layers: files });
  const archive = compress(dockerArchiveOf(sample, tars, ["app:1", "registry.example.com/app:2"]));
  const [loaded] = await store.images.load(streamOf(archive));
  expect(loaded?.names).toEqual(["app:1", "registry.example.com/app:2"]);
  expect(loaded?.image.id).toBe(sample.id);
  expect((await store.images.get("app:1")).config.config?.Cmd).toEqual(["/bin/true"]);
});

test("what was saved loads elsewhere, several images with shared layers, and saves to the same bytes again", async () => {
  await using store = await testImages();
  const first = sampleImage({ layers: files });
  const second = sampleImage({ layers: [files[0]!] });
  await store.images.load(streamOf(dockerArchiveOf(first, tars, ["first"])));
  await store.images.load(streamOf(dockerArchiveOf(second, tars.slice(0, 1), ["second:x"])));
  const archive = await bytesOf(await store.images.save(["first", "second:x"]));

  await using other = await testImages();
  const loaded = await other.images.load(streamOf(archive));
  expect(loaded.map(({ names }) => names)).toEqual([["first:latest"], ["second:x"]]);
  expect((await other.images.get("second:x")).id).toBe(second.id);
  expect(await bytesOf(await other.images.save(["first", "second:x"]))).toEqual(archive);
});

test("an image saved as oci-archive keeps its manifest's digest", async () => {
  await using store = await testImages();
  await store.images.load(streamOf(dockerArchiveOf(sampleImage({ layers: files }), tars, ["app"])));
  const saved = await store.images.get("app");
  const archive = await bytesOf(await store.images.save(["app"], { format: "oci-archive" }));
  expect(archive.includes("manifest.json")).toBe(false);
  await using other = await testImages();
  const [loaded] = await other.images.load(streamOf(archive));
  expect(loaded?.image.manifest.digest).toBe(saved.manifest.digest);
});

test("an archive from before Docker 1.10 becomes an image of today", async () => {
  await using store = await testImages();
  const archive = tarOf({
    "aa/json": JSON.stringify({ id: "aa", created: "2014-01-01T00:00:00Z" }),
    "aa/layer.tar": tars[0]!,
    "bb/json": JSON.stringify({ id: "bb", parent: "aa", config: { Cmd: ["sh"] }, architecture: "amd64", os: "linux" }),
    "bb/layer.tar": tars[1]!,
    repositories: JSON.stringify({ old: { "1": "bb" } }),
  });
  await store.images.load(streamOf(archive));
  const image = await store.images.get("old:1");
  expect(image.config.rootfs.diff_ids).toEqual(tars.map(sha256));
  expect(image.config.config?.Cmd).toEqual(["sh"]);
});

test("a layer stored once and linked twice is found (docker save before 25)", async () => {
  await using store = await testImages();
  const sample = sampleImage({ layers: [files[0]!, files[0]!] });
  const names = ["one/layer.tar", "two/layer.tar"];
  const body = tarOf({
    "one/layer.tar": tars[0]!,
    "config.json": sample.blobs.get(sample.id)!,
    "manifest.json": JSON.stringify([{ Config: "config.json", RepoTags: ["linked"], Layers: names }]),
  });
  const link = tarOf({ "two/layer.tar": "" }).subarray(0, 512);
  link.write("2", 156);
  link.write("../one/layer.tar", 157);
  link.write("        ", 148);
  const sum = link.reduce((total, byte) => total + byte, 0);
  link.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  await store.images.load(streamOf(Buffer.concat([link, body])));
  expect((await store.images.get("linked")).layers).toHaveLength(2);
});

test.each([
  ["an empty stream", Buffer.alloc(0), "corrupt"],
  ["text", Buffer.from("no archive at all ".repeat(100)), "corrupt"],
  ["a root file system", tarOf({ "bin/sh": "x" }), "corrupt"],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0]), "unsupported"],
  ["a manifest that is no list", tarOf({ "manifest.json": "{}" }), "corrupt"],
  [
    "a missing layer",
    tarOf({ "manifest.json": '[{"Config":"c.json","RepoTags":[],"Layers":["../../etc/passwd"]}]', "c.json": "{}" }),
    "corrupt",
  ],
  ["an archive cut short", tarOf({ a: Buffer.alloc(10_000) }).subarray(0, 5000), "corrupt"],
  ["gzip cut short", gzipSync(tarOf({ a: Buffer.alloc(10_000) })).subarray(0, 40), "corrupt"],
])("%s is refused", async (_, archive, code) => {
  await using store = await testImages();
  await expect(store.images.load(streamOf(archive))).rejects.toMatchObject({ code });
});

test("a layer that is not what the configuration says is refused, and no name is left", async () => {
  await using store = await testImages();
  const archive = dockerArchiveOf(sampleImage({ layers: files }), [tars[0]!, tarOf({ "etc/evil": "x" })], ["app"]);
  await expect(store.images.load(streamOf(archive))).rejects.toMatchObject({ code: "corrupt" });
  expect(await store.images.find("app")).toBeUndefined();
});

test("a blob of an OCI layout that does not fit its digest is refused", async () => {
  await using store = await testImages();
  const sample = sampleImage({ layers: files });
  const entries: Record<string, string | Buffer> = {
    "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
    "index.json": JSON.stringify({ schemaVersion: 2, manifests: [sample.manifest] }),
  };
  for (const [digest, data] of sample.blobs) entries[`blobs/sha256/${digest.slice(7)}`] = data;
  const first = sample.layers[0]!;
  entries[`blobs/sha256/${first.digest.slice(7)}`] = Buffer.alloc(first.size);
  await expect(store.images.load(streamOf(tarOf(entries)))).rejects.toThrow(first.digest.slice(7));
});
