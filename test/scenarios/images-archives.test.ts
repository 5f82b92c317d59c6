import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dockerArchiveOf, sampleImage, streamOf, tarOf } from "../../src/testing/sample-images.ts";
import { type ImageHost, ImagesFixture, run } from "./images-fixture.ts";

const files: Record<string, string>[] = [{ "etc/hello": "hello\n" }, { "etc/world": "world\n" }];
const sample = sampleImage({ layers: files });
let fixture: ImagesFixture;
let host: ImageHost;
beforeAll(async () => {
  fixture = new ImagesFixture();
  host = fixture.host();
  await host.images.load(streamOf(dockerArchiveOf(sample, files.map(tarOf), ["app:1", "team/app:2"])));
});
afterAll(() => fixture.close());

async function save(format: "docker-archive" | "oci-archive", ...names: string[]): Promise<string> {
  const path = fixture.path(`${format}-${names.length}.tar`);
  await pipeline(await host.images.save(names, { format }), createWriteStream(path));
  return path;
}

const idByInspect = async (source: string) => {
  const config: unknown = JSON.parse(await run("skopeo", ["inspect", "--config", source]));
  return (config as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids;
};

test("skopeo reads a saved docker archive and a saved OCI archive", async () => {
  const docker = await save("docker-archive", "app:1", "team/app:2");
  const oci = await save("oci-archive", "app:1");
  const expected = sample.config.rootfs.diff_ids;
  expect(await idByInspect(`docker-archive:${docker}:app:1`)).toEqual(expected);
  expect(await idByInspect(`docker-archive:${docker}:team/app:2`)).toEqual(expected);
  expect(await idByInspect(`oci-archive:${oci}`)).toEqual(expected);
  await run("skopeo", ["copy", "-q", `oci-archive:${oci}`, `dir:${fixture.path("dir")}`]);
});

test("docker loads a saved archive, and its own archive is loaded with the same id", async () => {
  const DOCKER_HOST = await fixture.docker();
  const docker = await save("docker-archive", "app:1");
  expect(await run("docker", ["load", "-i", docker], { DOCKER_HOST })).toContain("Loaded image: app:1");
  expect((await run("docker", ["images", "-q", "--no-trunc", "app:1"], { DOCKER_HOST })).trim()).toBe(sample.id);
  const saved = fixture.path("from-docker.tar");
  await run("docker", ["save", "-o", saved, "app:1"], { DOCKER_HOST });
  const [loaded] = await fixture.host().images.load(createReadStream(saved));
  expect(loaded).toMatchObject({ names: ["app:1"], image: { id: sample.id } });
});

test.each(["docker-archive", "oci-archive"])("a %s that skopeo wrote is loaded", async format => {
  const source = await save("docker-archive", "app:1");
  const target = fixture.path(`skopeo-${format}.tar`);
  await run("skopeo", ["copy", "-q", `docker-archive:${source}`, `${format}:${target}:copied/app:3`]);
  const [loaded] = await fixture.host().images.load(createReadStream(target));
  expect(loaded?.image.config.rootfs.diff_ids).toEqual(sample.config.rootfs.diff_ids);
  expect(loaded?.names).toEqual(["copied/app:3"]);
});
