import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sampleImage, streamOf, tarOf } from "../../src/testing/sample-images.ts";
import { ImagesFixture, run } from "./images-fixture.ts";

let fixture: ImagesFixture;
let registry: string;
beforeAll(async () => {
  fixture = new ImagesFixture();
  registry = await fixture.registry();
});
afterAll(() => fixture.close());

/** An image of several layers on a host, under `name`. */
async function makeImage(host: ReturnType<ImagesFixture["host"]>, name: string, compression: "gzip" | "zstd" = "gzip") {
  const diffIds: string[] = [];
  const layers = [];
  const contents: Record<string, string | Buffer>[] = [
    { "etc/base": "base\n" },
    { "data/big": randomBytes(3_000_000) },
    { "etc/top": "top\n" },
  ];
  for (const files of contents) {
    const { blob, diffId } = await host.layers.ingest(streamOf(tarOf(files)), { parent: [...diffIds], compression });
    diffIds.push(diffId);
    layers.push(blob);
  }
  const { config } = sampleImage();
  return host.images.create({
    config: { ...config, history: [], rootfs: { type: "layers", diff_ids: diffIds } },
    layers,
    tags: [name],
  });
}

test.each(["gzip", "zstd"] as const)(
  "what one host pushes to Debian's registry, another pulls and can run (%s)",
  async compression => {
    const [here, there] = [fixture.host(), fixture.host()];
    const name = `${registry}/team/${compression}:1`;
    const made = await makeImage(here, name, compression);
    const { digest } = await here.images.push(name);
    const image = await there.images.pull(name);
    expect(image.id).toBe(made.id);
    expect(image.repoDigests).toEqual([`${registry}/team/${compression}@${digest}`]);
    const root = await there.layers.createRoot("run", image.config.rootfs.diff_ids);
    expect(readFileSync(join(root.mergedPath, "etc/top"), "utf8")).toBe("top\n");
    await there.layers.removeRoot("run");
  },
);

test("skopeo copies what was pushed, and what skopeo pushed is pulled", async () => {
  const host = fixture.host();
  const name = `${registry}/skopeo/from-berth:1`;
  const made = await makeImage(host, name);
  await host.images.push(name);
  const copy = `${registry}/skopeo/copied:1`;
  const insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  await run("skopeo", ["copy", "-q", ...insecure, `docker://${name}`, `docker://${copy}`]);
  expect((await fixture.host().images.pull(copy)).id).toBe(made.id);
});

test("an image in docker's own format, pushed by skopeo, is pulled", async () => {
  const host = fixture.host();
  const name = `${registry}/skopeo/v2s2:1`;
  await makeImage(host, name);
  await host.images.push(name);
  const copy = `${registry}/skopeo/docker-format:1`;
  const insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  await run("skopeo", ["copy", "-q", "-f", "v2s2", ...insecure, `docker://${name}`, `docker://${copy}`]);
  const image = await fixture.host().images.pull(copy);
  expect(image.manifest.mediaType).toBe("application/vnd.docker.distribution.manifest.v2+json");
});

test("two processes that pull one image at once share the work and both have it", async () => {
  const maker = fixture.host();
  const name = `${registry}/shared/app:1`;
  const made = await makeImage(maker, name);
  await maker.images.push(name);
  const root = fixture.path("one-host");
  const pulled = await Promise.all([fixture.host(root), fixture.host(root)].map(process => process.images.pull(name)));
  expect(pulled.map(image => image.id)).toEqual([made.id, made.id]);
});

test("an image can be removed and pulled again, and nothing of it stays in between", async () => {
  const host = fixture.host();
  const name = `${registry}/again/app:1`;
  const made = await makeImage(host, name);
  await host.images.push(name);
  await host.images.remove(name);
  expect(await host.images.diskUsage()).toMatchObject({ images: 0, total_bytes: 0 });
  expect((await host.images.pull(name)).id).toBe(made.id);
});

test("what the registry does not have is said so", async () => {
  await expect(fixture.host().images.pull(`${registry}/nothing/here:1`)).rejects.toMatchObject({ code: "not_found" });
});
