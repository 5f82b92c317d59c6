import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mediaTypes } from "../../src/model/image.ts";
import { hashPassword } from "../../src/registry/access.ts";
import {
  dockerArchiveOf,
  type SampleImage,
  sampleImage,
  sha256,
  streamOf,
  tarOf,
} from "../../src/testing/sample-images.ts";
import { ImagesFixture, run } from "./images-fixture.ts";
import { RegistryProgram } from "./registry-program.ts";

let fixture: ImagesFixture;
let registry: RegistryProgram;
let docker: string;
beforeAll(async () => {
  fixture = new ImagesFixture();
  [registry, docker] = await Promise.all([RegistryProgram.start(fixture.path("open")), fixture.docker()]);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await fixture.close();
});

const insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
const skopeo = (source: string, target: string, ...flags: string[]) =>
  run("skopeo", ["copy", "-q", ...insecure, ...flags, source, target]);
const digestOf = async (target: string) =>
  (await run("skopeo", ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", target])).trim();

/** An OCI layout directory of the images, as an index when there are several. */
function layout(name: string, images: SampleImage[], platforms: string[] = ["amd64", "arm64"]): string {
  const path = fixture.path(name);
  mkdirSync(join(path, "blobs/sha256"), { recursive: true });
  const put = (digest: string, data: Buffer) => writeFileSync(join(path, "blobs/sha256", digest.slice(7)), data);
  for (const image of images) for (const [digest, data] of image.blobs) put(digest, data);
  let top = images[0]!.manifest;
  if (images.length > 1) {
    const manifests = images.map(({ manifest }, index) => ({
      ...manifest,
      platform: { os: "linux", architecture: platforms[index] },
    }));
    const data = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
    const index = sha256(data);
    put(index, data);
    top = { mediaType: mediaTypes.ociIndex, digest: index, size: data.length };
  }
  const manifests = [{ ...top, annotations: { "org.opencontainers.image.ref.name": "1" } }];
  writeFileSync(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  writeFileSync(join(path, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return `oci:${path}:1`;
}

const blobsOf = (path: string) => readdirSync(join(path, "blobs/sha256")).sort();

test("skopeo pushes an image, and what it pulls again is the same to the byte", async () => {
  const source = layout("one", [sampleImage({ layers: [{ big: randomBytes(2_000_000) }, { top: "x" }] })]);
  await skopeo(source, `docker://${registry.domain}/team/one:1`);
  await skopeo(`docker://${registry.domain}/team/one:1`, `oci:${fixture.path("one-back")}:1`);
  expect(blobsOf(fixture.path("one-back"))).toEqual(blobsOf(fixture.path("one")));
});

test("an image for several platforms goes both ways with all of them", async () => {
  const images = ["amd64", "arm64"].map(architecture => sampleImage({ layers: [{ architecture }] }));
  const source = layout("many", images);
  await skopeo(source, `docker://${registry.domain}/team/many:1`, "--all");
  await skopeo(`docker://${registry.domain}/team/many:1`, `oci:${fixture.path("many-back")}:1`, "--all");
  expect(blobsOf(fixture.path("many-back"))).toEqual(blobsOf(fixture.path("many")));
  // One platform alone is found through the index.
  await skopeo(`docker://${registry.domain}/team/many:1`, `oci:${fixture.path("arm")}:1`, "--override-arch", "arm64");
  expect(blobsOf(fixture.path("arm"))).toContain(images[1]!.id.slice(7));
});

test("a copy into another repository moves no layer: it is mounted, and stored once", async () => {
  const image = sampleImage({ layers: [{ big: randomBytes(3_000_000) }] });
  await skopeo(layout("mounted", [image]), `docker://${registry.domain}/from/app:1`);
  const before = readdirSync(join(registry.root, "content/blobs/sha256")).length;
  await skopeo(`docker://${registry.domain}/from/app:1`, `docker://${registry.domain}/to/app:1`);
  expect(await digestOf(`docker://${registry.domain}/to/app:1`)).toBe(image.manifest.digest);
  expect(readdirSync(join(registry.root, "content/blobs/sha256"))).toHaveLength(before);
  expect(readdirSync(join(registry.root, "content/ingest"))).toEqual([]);
});

test("what one host pushes with Berth, another pulls", async () => {
  const host = fixture.host();
  const made = await host.images.import(streamOf(tarOf({ "etc/hello": "hello\n", big: randomBytes(1_000_000) })), {
    reference: `${registry.domain}/berth/app:1`,
  });
  const { digest } = await host.images.push(`${registry.domain}/berth/app:1`);
  const pulled = await fixture.host().images.pull(`${registry.domain}/berth/app:1`);
  expect(pulled).toMatchObject({ id: made.id, repoDigests: [`${registry.domain}/berth/app@${digest}`] });
});

test("docker pushes and pulls", async () => {
  const name = `${registry.domain}/docker/app:1`;
  const env = { DOCKER_HOST: docker, DOCKER_CONFIG: fixture.path("docker-config") };
  const layers: Record<string, string | Buffer>[] = [{ "etc/hello": "hello\n" }, { big: randomBytes(1_000_000) }];
  const archive = fixture.path("docker.tar");
  writeFileSync(archive, dockerArchiveOf(sampleImage({ docker: true, layers }), layers.map(tarOf), [name]));
  await run("docker", ["load", "-i", archive], env);
  const id = await run("docker", ["image", "inspect", "-f", "{{.Id}}", name], env);
  await run("docker", ["push", name], env);
  await run("docker", ["rmi", "-f", name], env);
  await run("docker", ["pull", name], env);
  expect(await run("docker", ["image", "inspect", "-f", "{{.Id}}", name], env)).toBe(id);
});

test.each(["token", "basic"] as const)(
  "with %s authentication, docker and skopeo log in, and nobody goes beyond their rights",
  async scheme => {
    const users = Object.fromEntries(["ann", "ci"].map(name => [name, { password: hashPassword(`${name}-secret`) }]));
    const rules = [
      { who: "ann", repositories: "**", actions: ["pull", "push", "delete", "catalog"] },
      { who: "ci", repositories: "team/*", actions: ["pull"] },
    ];
    await using guarded = await RegistryProgram.start(fixture.path(`guarded-${scheme}`), {
      access: { scheme, users, rules },
    });
    const login = async (user: string) => {
      const config = fixture.path(`${scheme}-${user}`);
      const env = { DOCKER_HOST: docker, DOCKER_CONFIG: config, REGISTRY_AUTH_FILE: join(config, "config.json") };
      await run("docker", ["login", "-u", user, "-p", `${user}-secret`, guarded.domain], env);
      return env;
    };
    const copy = (source: string, target: string, env: Record<string, string>) =>
      run("skopeo", ["copy", "-q", ...insecure, source, target], env);
    const [ann, ci] = [await login("ann"), await login("ci")];
    const nobody = { REGISTRY_AUTH_FILE: fixture.path("no-auth.json") };
    const source = layout(`guarded-image-${scheme}`, [sampleImage({ layers: [{ scheme }] })]);
    const target = `docker://${guarded.domain}/team/app:1`;
    await expect(copy(source, target, nobody)).rejects.toThrow(/unauthorized|authentication/i);
    await expect(copy(source, target, ci)).rejects.toThrow(/denied|unauthorized|may not|not allow/i);
    await copy(source, target, ann);
    await run("docker", ["pull", `${guarded.domain}/team/app:1`], ci);
    await copy(target, `oci:${fixture.path(`ci-${scheme}`)}:1`, ci);
    await copy(source, `docker://${guarded.domain}/private/app:1`, ann);
    await expect(copy(`docker://${guarded.domain}/private/app:1`, `dir:${fixture.path("x")}`, ci)).rejects.toThrow();
    await expect(
      run("docker", ["login", "-u", "ann", "-p", "wrong", guarded.domain], {
        ...ann,
        DOCKER_CONFIG: fixture.path("w"),
      }),
    ).rejects.toThrow(/unauthorized|wrong/i);
    await expect(run("skopeo", ["delete", "--tls-verify=false", target], ci)).rejects.toThrow();
    await run("skopeo", ["delete", "--tls-verify=false", target], ann);
  },
);
