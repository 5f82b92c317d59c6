import { afterEach, beforeEach, expect, test } from "vitest";
import type { ImageManifest } from "../../model/image.ts";
import { type TestImages, testImages } from "../../testing/image-store.ts";
import { TestRegistry } from "../../testing/registry.ts";
import { dockerArchiveOf, sampleImage, streamOf, tarOf } from "../../testing/sample-images.ts";

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

/** An image that came by pull: its layers are compressed here. */
async function pulled(name = "base"): Promise<string> {
  registry.add(name, "1", sampleImage());
  await store.images.pull(`${registry.domain}/${name}:1`);
  return `${registry.domain}/${name}:1`;
}

test("what was pushed is pulled elsewhere as the same image", async () => {
  const source = await pulled();
  await store.images.tag(source, `${registry.domain}/copy:2`);
  const said: string[] = [];
  const { digest, size } = await store.images.push(`${registry.domain}/copy:2`, {
    onProgress: ({ status }) => said.push(status),
  });
  expect(said.at(-1)).toBe(`2: digest: ${digest} size: ${size}`);
  await using other = await testImages();
  const image = await other.images.pull(`${registry.domain}/copy:2`);
  expect(image.id).toBe((await store.images.get(source)).id);
  expect((await store.images.get(`${registry.domain}/copy@${digest}`)).id).toBe(image.id);
});

test("blobs of another repository of the registry are mounted, and what is there is not sent again", async () => {
  const source = await pulled();
  await store.images.tag(source, `${registry.domain}/copy:1`);
  const said: string[] = [];
  const onProgress = ({ status }: { status: string }) => said.push(status);
  await store.images.push(`${registry.domain}/copy:1`, { onProgress });
  expect(said).toContain("Mounted from base");
  const uploads = registry.count(/^PUT .*blobs/);
  await store.images.push(`${registry.domain}/copy:1`, { onProgress });
  expect(said).toContain("Layer already exists");
  expect(registry.count(/^PUT .*blobs/)).toBe(uploads);
});

test("plain layers of a loaded archive are compressed for the way, once; the id stays", async () => {
  const files: Record<string, string>[] = [{ text: "much the same ".repeat(5000) }];
  const sample = sampleImage({ layers: files });
  const name = `${registry.domain}/loaded:1`;
  await store.images.load(streamOf(dockerArchiveOf(sample, files.map(tarOf), [name])));
  const { digest } = await store.images.push(name);
  const { data } = registry.repository("loaded").manifests.get("1")!;
  const [layer] = (JSON.parse(data.toString()) as ImageManifest).layers;
  expect(layer!.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+gzip");
  expect(layer!.size).toBeLessThan(10_000);
  expect((await store.images.push(name)).digest).toBe(digest);
  expect((await store.images.get(name)).id).toBe(sample.id);
  await using other = await testImages();
  expect((await other.images.pull(name)).id).toBe(sample.id);
});

test("a registry that takes blobs only in pieces gets them so", async () => {
  await using strict = await TestRegistry.start({ chunkedOnly: true });
  await store.images.tag(await pulled(), `${strict.domain}/app:1`);
  await store.images.push(`${strict.domain}/app:1`);
  await using other = await testImages();
  await other.images.pull(`${strict.domain}/app:1`);
});

test("an upload that breaks off is sent again; 503 is waited out", async () => {
  await using target = await TestRegistry.start();
  await store.images.tag(await pulled(), `${target.domain}/app:1`);
  target.fail(/^PUT .*blobs/, { kind: "reset", after_bytes: 0 });
  target.fail(/^HEAD/, { kind: "status", status: 503 }, 2);
  target.fail(/^PUT .*manifests/, { kind: "status", status: 502 });
  await store.images.push(`${target.domain}/app:1`);
  expect(target.repository("app").manifests.has("1")).toBe(true);
});

test("a refused push says why", async () => {
  await using target = await TestRegistry.start();
  await store.images.tag(await pulled(), `${target.domain}/app:1`);
  target.fail(/^POST/, { kind: "status", status: 403 }, 100);
  await expect(store.images.push(`${target.domain}/app:1`)).rejects.toMatchObject({ code: "forbidden" });
  await expect(store.images.push("nothing:1")).rejects.toMatchObject({ code: "not_found" });
});
