import { createHash, randomBytes } from "node:crypto";
import { createReadStream, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { mediaTypes } from "../../src/model/image.ts";
import { type SampleImage, sampleImage, sha256 } from "../../src/testing/sample-images.ts";
import { ImagesFixture } from "./images-fixture.ts";
import { RegistryProgram } from "./registry-program.ts";

let fixture: ImagesFixture;
let registry: RegistryProgram;
beforeAll(async () => {
  fixture = new ImagesFixture();
  registry = await RegistryProgram.start(fixture.path("registry"));
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await fixture.close();
});

const put = (path: string, body: Buffer | string, type = "application/octet-stream") =>
  fetch(`${registry.base}${path}`, { method: "PUT", body: body as never, headers: { "Content-Type": type } });
const status = async (path: string, method = "GET") => (await fetch(`${registry.base}${path}`, { method })).status;
const blobsIn = (folder: string) => readdirSync(join(registry.root, folder)).filter(name => !name.endsWith(".lock"));

async function startUpload(repository: string): Promise<string> {
  const answer = await fetch(`${registry.base}/${repository}/blobs/uploads/`, { method: "POST" });
  return answer.headers.get("location")!.replace(/^\/v2/, "");
}

async function push(repository: string, reference: string, image: SampleImage): Promise<number> {
  for (const [digest, data] of image.blobs) {
    if (digest !== image.manifest.digest)
      await put(`${await startUpload(repository)}?digest=${encodeURIComponent(digest)}`, data);
  }
  const manifest = image.blobs.get(image.manifest.digest)!;
  return (await put(`/${repository}/manifests/${reference}`, manifest, image.manifest.mediaType)).status;
}

/** Sends so many bytes of a blob that is announced as larger, and no more. Returns once the registry has them on its disk. */
async function sendPart(location: string, data: Buffer, length: number): Promise<() => void> {
  const sending = request(`${registry.base}${location}`, { method: "PATCH", headers: { "Content-Length": length } });
  sending.on("error", () => {});
  sending.write(data);
  await vi.waitFor(
    () => {
      const sizes = blobsIn("content/ingest").map(name => statSync(join(registry.root, "content/ingest", name)).size);
      if (!sizes.some(size => size > 1_000_000)) throw new Error("not enough has arrived");
    },
    { timeout: 20_000, interval: 10 },
  );
  return () => sending.destroy();
}

test("killed in the middle of a push, the registry comes back whole, shows nothing of it, and the push goes on where it was", async () => {
  const image = sampleImage({ layers: [{ big: randomBytes(8_000_000) }] });
  await push("kept", "1", sampleImage());
  const layer = image.layers[0]!;
  const data = image.blobs.get(layer.digest)!;
  const location = await startUpload("killed");
  const stop = await sendPart(location, data.subarray(0, 6_000_000), data.length);
  await registry.kill();
  stop();
  await registry.start();

  expect(await status("/kept/manifests/1")).toBe(200);
  expect(await status(`/killed/blobs/${layer.digest}`)).toBe(404);
  expect(
    ((await (await fetch(`${registry.base}/_catalog`)).json()) as { repositories: string[] }).repositories,
  ).toEqual(["kept"]);
  const state = await fetch(`${registry.base}${location}`);
  const received = Number(/^0-(\d+)$/.exec(state.headers.get("range")!)![1]) + 1;
  expect(received).toBeGreaterThan(0);
  const rest = await fetch(`${registry.base}${location}`, {
    method: "PATCH",
    body: data.subarray(received) as never,
    headers: { "Content-Range": `${received}-${data.length - 1}` },
  });
  expect(rest.status).toBe(202);
  expect((await put(`${location}?digest=${layer.digest}`, "")).status).toBe(201);
  expect(await push("killed", "1", image)).toBe(201);
  expect(blobsIn("content/ingest")).toEqual([]);
});

test("killed at any moment of many pushes, every tag that is there can be pulled whole", async () => {
  for (let round = 0; round < 3; round++) {
    const images = Array.from({ length: 12 }, () => sampleImage({ layers: [{ data: randomBytes(50_000) }] }));
    const pushes = images.map((image, index) => push("storm", `${round}-${index}`, image).catch(() => 0));
    await Promise.any(pushes);
    await registry.kill();
    await Promise.all(pushes);
    await registry.start();
    const { tags } = (await (await fetch(`${registry.base}/storm/tags/list`)).json()) as { tags: string[] };
    for (const tag of tags.filter(name => name.startsWith(`${round}-`))) {
      const image = images[Number(tag.split("-")[1])]!;
      for (const { digest } of image.layers) {
        const bytes = Buffer.from(await (await fetch(`${registry.base}/storm/blobs/${digest}`)).arrayBuffer());
        expect(sha256(bytes)).toBe(digest);
      }
    }
    expect(await Promise.all(images.map((image, index) => push("storm", `${round}-${index}`, image)))).toEqual(
      images.map(() => 201),
    );
  }
});

test("garbage is collected while images are pulled and pushed: what is needed stays, the rest goes", async () => {
  const image = sampleImage({ layers: [{ big: randomBytes(4_000_000) }] });
  await push("live", "1", image);
  const old = sampleImage({ layers: [{ old: randomBytes(1000) }] });
  await push("live", "old", old);
  await fetch(`${registry.base}/live/manifests/${old.manifest.digest}`, { method: "DELETE" });
  // As if everything were from yesterday: past the time that a push has for naming its blobs.
  const yesterday = new Date(2020, 1, 1);
  for (const folder of ["repositories/live/_blobs", "content/blobs/sha256"])
    for (const name of readdirSync(join(registry.root, folder)))
      utimesSync(join(registry.root, folder, name), yesterday, yesterday);

  let collecting = true;
  const traffic = Promise.all([pullForever("live", image, () => collecting), pushForever("fresh", () => collecting)]);
  const said = await registry.command("collect");
  collecting = false;
  const [pulls, pushes] = await traffic;
  expect(pulls).toBeGreaterThan(0);
  expect(pushes).toBeGreaterThan(0);
  expect(said).toMatch(/^0 manifests, 2 links/);
  expect(blobsIn("content/blobs/sha256")).not.toContain(old.layers[0]!.digest.slice(7));
  expect(blobsIn("content/blobs/sha256")).toContain(image.layers[0]!.digest.slice(7));
});

async function pullForever(repository: string, image: SampleImage, wanted: () => boolean): Promise<number> {
  let count = 0;
  for (; wanted() || count === 0; count++) {
    for (const digest of [image.id, ...image.layers.map(layer => layer.digest)]) {
      const bytes = Buffer.from(await (await fetch(`${registry.base}/${repository}/blobs/${digest}`)).arrayBuffer());
      expect(sha256(bytes)).toBe(digest);
    }
  }
  return count;
}

async function pushForever(repository: string, wanted: () => boolean): Promise<number> {
  let count = 0;
  for (; wanted() || count === 0; count++) {
    const image = sampleImage({ layers: [{ data: randomBytes(1000) }] });
    expect(await push(repository, `${count}`, image)).toBe(201);
    for (const { digest } of image.layers) expect(await status(`/${repository}/blobs/${digest}`, "HEAD")).toBe(200);
  }
  return count;
}

test("of two pushes of one tag at once, both are whole and one is the tag", async () => {
  const images = Array.from({ length: 6 }, (_, index) => sampleImage({ layers: [{ index: String(index) }] }));
  expect(await Promise.all(images.map(image => push("twice", "1", image)))).toEqual(images.map(() => 201));
  const tagged = (await fetch(`${registry.base}/twice/manifests/1`)).headers.get("docker-content-digest");
  expect(images.map(image => image.manifest.digest)).toContain(tagged);
  for (const { manifest } of images) expect(await status(`/twice/manifests/${manifest.digest}`)).toBe(200);
});

test("a blob of 300 MB goes in and out in memory that does not grow with it", async () => {
  await using own = await RegistryProgram.start(fixture.path("memory"));
  const path = fixture.path("blob");
  const hash = createHash("sha256");
  writeFileSync(path, "");
  for (let part = 0; part < 30; part++) {
    const data = randomBytes(10_000_000);
    hash.update(data);
    writeFileSync(path, data, { flag: "a" });
  }
  const digest = `sha256:${hash.digest("hex")}`;
  const pushed = await fetch(`${own.base}/big/blobs/uploads/?digest=${digest}`, {
    method: "POST",
    body: Readable.toWeb(createReadStream(path)),
    duplex: "half",
  } as RequestInit);
  expect(pushed.status).toBe(201);
  // A slow reader must not fill the memory either.
  const pulled = createHash("sha256");
  for await (const chunk of (await fetch(`${own.base}/big/blobs/${digest}`)).body!) pulled.update(chunk);
  expect(`sha256:${pulled.digest("hex")}`).toBe(digest);
  // About 150 MB, most of it Node itself and its read buffers.
  expect(own.peak_bytes() / 1e6).toBeLessThan(200);
});

/** The endpoints of the distribution specification by their numbers, each as a client uses it. */
test("all endpoints of the specification, end-1 to end-14, are served", async () => {
  const image = sampleImage({ layers: [{ spec: "x" }] });
  const [layer] = image.layers;
  await push("spec/app", "1", image);
  const go = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${registry.base}${path}`, { method, body, headers });
    await answer.arrayBuffer();
    return answer;
  };
  const upload = () => startUpload("spec/app");
  const digest = sha256("hello");
  const referrer = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: "application/x-signature",
    config: { mediaType: mediaTypes.ociConfig, digest: image.id, size: image.blobs.get(image.id)!.length },
    layers: [],
    subject: image.manifest,
  });
  const table: [string, number, () => Promise<Response>][] = [
    ["end-1", 200, () => go("GET", "/")],
    ["end-2 GET", 200, () => go("GET", `/spec/app/blobs/${layer!.digest}`)],
    ["end-2 HEAD", 200, () => go("HEAD", `/spec/app/blobs/${layer!.digest}`)],
    ["end-3 by tag", 200, () => go("GET", "/spec/app/manifests/1")],
    ["end-3 by digest", 200, () => go("HEAD", `/spec/app/manifests/${image.manifest.digest}`)],
    ["end-4a", 202, () => go("POST", "/spec/app/blobs/uploads/")],
    ["end-4b", 201, () => go("POST", `/spec/app/blobs/uploads/?digest=${digest}`, "hello")],
    ["end-5", 202, async () => go("PATCH", await upload(), "he", { "Content-Range": "0-1" })],
    ["end-6", 201, async () => go("PUT", `${await upload()}?digest=${digest}`, "hello")],
    ["end-7", 201, () => go("PUT", "/spec/app/manifests/sig", referrer, { "Content-Type": mediaTypes.ociManifest })],
    ["end-8a", 200, () => go("GET", "/spec/app/tags/list")],
    ["end-8b", 200, () => go("GET", "/spec/app/tags/list?n=1&last=1")],
    ["end-11", 201, () => go("POST", `/spec/other/blobs/uploads/?mount=${layer!.digest}&from=spec/app`)],
    ["end-12a", 200, () => go("GET", `/spec/app/referrers/${image.manifest.digest}`)],
    ["end-12b", 200, () => go("GET", `/spec/app/referrers/${image.manifest.digest}?artifactType=x`)],
    ["end-13", 204, async () => go("GET", await upload())],
    ["end-14", 204, async () => go("DELETE", await upload())],
    ["end-9 tag", 202, () => go("DELETE", "/spec/app/manifests/sig")],
    ["end-9", 202, () => go("DELETE", `/spec/app/manifests/${image.manifest.digest}`)],
    ["end-10", 202, () => go("DELETE", `/spec/app/blobs/${layer!.digest}`)],
  ];
  const answers: [string, number][] = [];
  for (const [name, , run] of table) answers.push([name, (await run()).status]);
  expect(answers).toEqual(table.map(([name, wanted]) => [name, wanted]));
});
