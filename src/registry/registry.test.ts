import { readdirSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  digestOf,
  errorCode,
  ociManifest,
  openRegistryFixture,
  type RegistryFixture,
} from "../testing/registry-fixture.ts";
import type { Upstream } from "./registry.ts";

let f: RegistryFixture;
beforeEach(async () => {
  f = await openRegistryFixture();
});
afterEach(() => f.close());

describe("pushing", () => {
  test("a blob in chunks: each must begin where the last ended, and the whole must hash to its digest", async () => {
    const started = await fetch(`${f.base}/v2/team/web/blobs/uploads/`, { method: "POST" });
    const location = f.base + started.headers.get("location");
    const first = await fetch(location, { method: "PATCH", body: "hello ", headers: { "Content-Range": "0-5" } });
    expect([first.status, first.headers.get("range")]).toEqual([202, "0-5"]);
    const wrong = await fetch(location, { method: "PATCH", body: "world", headers: { "Content-Range": "9-13" } });
    expect([wrong.status, wrong.headers.get("range")]).toEqual([416, "0-5"]);
    const digest = digestOf("hello world");
    const last = await fetch(`${location}?digest=${digest}`, {
      method: "PUT",
      body: "world",
      headers: { "Content-Range": "6-10" },
    });
    expect([last.status, last.headers.get("docker-content-digest")]).toEqual([201, digest]);
    expect(await (await fetch(`${f.base}/v2/team/web/blobs/${digest}`)).text()).toBe("hello world");
  });

  test("an upload cut off in the middle is not visible, tells how far it came, and goes on after a restart", async () => {
    const whole = Buffer.alloc(8 * 1024 * 1024, "upload ");
    const path = (await fetch(`${f.base}/v2/web/blobs/uploads/`, { method: "POST" })).headers.get("location")!;
    const request = httpRequest(f.base + path, { method: "PATCH", headers: { "Content-Length": whole.length } });
    request.on("error", () => undefined);
    request.write(whole.subarray(0, 6 * 1024 * 1024));
    const ingests = join(f.root, "content", "ingest");
    const received = () => Math.max(...readdirSync(ingests).map(name => statSync(join(ingests, name)).size));
    await expect.poll(received).toBeGreaterThan(1024 * 1024);
    request.destroy();
    const offset = async () => Number((await fetch(f.base + path)).headers.get("range")!.split("-")[1]) + 1;
    const before = await offset();
    expect(before).toBeGreaterThan(1024 * 1024);
    await f.stop();
    await f.start();
    expect(await offset()).toBe(before);
    const digest = digestOf(whole);
    expect((await fetch(`${f.base}/v2/web/blobs/${digest}`, { method: "HEAD" })).status).toBe(404);
    expect(
      (await fetch(`${f.base + path}?digest=${digest}`, { method: "PUT", body: whole.subarray(before) })).status,
    ).toBe(201);
    expect((await fetch(`${f.base}/v2/web/blobs/${digest}`, { method: "HEAD" })).headers.get("content-length")).toBe(
      String(whole.length),
    );
  });

  test("a wrong digest is refused and leaves nothing", async () => {
    const answer = await fetch(`${f.base}/v2/web/blobs/uploads/?digest=${digestOf("other")}`, {
      method: "POST",
      body: "data",
    });
    expect([answer.status, await errorCode(answer)]).toEqual([400, "DIGEST_INVALID"]);
    expect((await fetch(`${f.base}/v2/web/blobs/${digestOf("data")}`)).status).toBe(404);
  });

  test("a cancelled upload is gone", async () => {
    const location =
      f.base + (await fetch(`${f.base}/v2/web/blobs/uploads/`, { method: "POST" })).headers.get("location");
    expect((await fetch(location, { method: "DELETE" })).status).toBe(204);
    expect(await errorCode(await fetch(location, { method: "PATCH", body: "x" }))).toBe("BLOB_UPLOAD_UNKNOWN");
  });

  test("a blob is mounted from another repository without its bytes, and only from one that has it", async () => {
    const digest = await f.pushBlob("one", "shared");
    expect((await fetch(`${f.base}/v2/two/blobs/${digest}`)).status).toBe(404);
    expect((await fetch(`${f.base}/v2/two/blobs/uploads/?mount=${digest}&from=none`, { method: "POST" })).status).toBe(
      202,
    );
    expect((await fetch(`${f.base}/v2/two/blobs/uploads/?mount=${digest}&from=one`, { method: "POST" })).status).toBe(
      201,
    );
    expect(await (await fetch(`${f.base}/v2/two/blobs/${digest}`)).text()).toBe("shared");
  });

  test("a manifest that needs what is not there is refused, naming it", async () => {
    const manifest = await f.imageOf("web");
    manifest.layers[0]!.digest = digestOf("never pushed");
    const answer = await f.pushManifest("web", "1", manifest);
    expect([answer.status, await errorCode(answer)]).toEqual([404, "MANIFEST_BLOB_UNKNOWN"]);
  });

  test("two pushes of one tag at once: the tag points at one of them, and both can be pulled by digest", async () => {
    const [one, two] = [await f.imageOf("web", "one"), await f.imageOf("web", "two")];
    const answers = await Promise.all([f.pushManifest("web", "latest", one), f.pushManifest("web", "latest", two)]);
    const digests = answers.map(answer => answer.headers.get("docker-content-digest")!);
    const tagged = await fetch(`${f.base}/v2/web/manifests/latest`);
    expect(digests).toContain(tagged.headers.get("docker-content-digest"));
    expect(digestOf(await tagged.text())).toBe(tagged.headers.get("docker-content-digest"));
    for (const digest of digests) expect((await fetch(`${f.base}/v2/web/manifests/${digest}`)).status).toBe(200);
  });

  test.each([
    ["not JSON", "{", "MANIFEST_INVALID"],
    ["an old schema", JSON.stringify({ schemaVersion: 1 }), "MANIFEST_INVALID"],
    [
      "a digest that is a path",
      JSON.stringify({ schemaVersion: 2, config: { digest: "sha256:../../x" } }),
      "MANIFEST_INVALID",
    ],
    ["five megabytes", Buffer.alloc(5 * 1024 * 1024, " ").toString(), "SIZE_INVALID"],
  ])("a manifest of %s is refused", async (_, body, code) => {
    const answer = await fetch(`${f.base}/v2/web/manifests/1`, { method: "PUT", body }).catch(() => undefined);
    // A body far over the limit may be answered by a closed connection before it is sent.
    if (answer !== undefined) expect(await errorCode(answer)).toBe(code);
    expect((await fetch(`${f.base}/v2/web/manifests/1`)).status).toBe(404);
  });
});

describe("pulling", () => {
  test("ranges of a blob, and one that lies outside", async () => {
    const digest = await f.pushBlob("web", "0123456789");
    const part = await fetch(`${f.base}/v2/web/blobs/${digest}`, { headers: { Range: "bytes=2-4" } });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-4/10", "234"]);
    expect(await (await fetch(`${f.base}/v2/web/blobs/${digest}`, { headers: { Range: "bytes=-3" } })).text()).toBe(
      "789",
    );
    expect((await fetch(`${f.base}/v2/web/blobs/${digest}`, { headers: { Range: "bytes=10-" } })).status).toBe(416);
  });

  test("tags and repositories are listed in order, page by page", async () => {
    const manifest = await f.imageOf("a/b");
    for (const tag of ["3", "1", "2"]) await f.pushManifest("a/b", tag, manifest);
    await f.pushManifest("c", "1", await f.imageOf("c"));
    const page = await fetch(`${f.base}/v2/a/b/tags/list?n=2`);
    expect(await page.json()).toEqual({ name: "a/b", tags: ["1", "2"] });
    const next = /<([^>]+)>; rel="next"/.exec(page.headers.get("link")!)![1]!;
    expect(await (await fetch(f.base + next)).json()).toEqual({ name: "a/b", tags: ["3"] });
    expect(await (await fetch(`${f.base}/v2/_catalog?last=a/b`)).json()).toEqual({ repositories: ["c"] });
    expect((await fetch(`${f.base}/v2/c/tags/list?n=x`)).status).toBe(400);
  });

  test("what refers to a manifest is listed, filtered by type, and gone with it", async () => {
    const image = await f.imageOf("web");
    const subject = {
      mediaType: ociManifest,
      digest: (await f.pushManifest("web", "1", image)).headers.get("docker-content-digest")!,
      size: 1,
    };
    const signature = await f.imageOf("web", "signature", {
      subject,
      artifactType: "application/vnd.example.signature",
      annotations: { by: "me" },
    });
    const pushed = await f.pushManifest("web", digestOf(JSON.stringify(signature)), signature);
    expect(pushed.headers.get("oci-subject")).toBe(subject.digest);
    const list = async (query = "") =>
      ((await (await fetch(`${f.base}/v2/web/referrers/${subject.digest}${query}`)).json()) as { manifests: object[] })
        .manifests;
    expect(await list()).toMatchObject([
      { artifactType: "application/vnd.example.signature", annotations: { by: "me" } },
    ]);
    expect(await list("?artifactType=other")).toEqual([]);
    await fetch(`${f.base}/v2/web/manifests/${pushed.headers.get("docker-content-digest")}`, { method: "DELETE" });
    expect(await list()).toEqual([]);
  });

  test("deleting a manifest takes its tags, deleting a tag leaves the manifest", async () => {
    const digest = (await f.pushManifest("web", "1", await f.imageOf("web"))).headers.get("docker-content-digest")!;
    await f.pushManifest("web", "2", await f.imageOf("web"));
    expect((await fetch(`${f.base}/v2/web/manifests/1`, { method: "DELETE" })).status).toBe(202);
    expect((await fetch(`${f.base}/v2/web/manifests/${digest}`)).status).toBe(200);
    expect((await fetch(`${f.base}/v2/web/manifests/${digest}`, { method: "DELETE" })).status).toBe(202);
    expect((await fetch(`${f.base}/v2/web/manifests/2`)).status).toBe(404);
  });
});

test.each(["..", "a/../b", "A", "a//b", "a/.hidden", "_tags", "a%2f..%2fb", `${"a/".repeat(200)}b`])(
  "the repository name %s is refused and touches no file",
  async name => {
    const answer = await new Promise<number>((resolve, reject) => {
      // fetch would tidy the path before sending it.
      httpRequest(
        { host: "127.0.0.1", port: (f.server.address() as AddressInfo).port, path: `/v2/${name}/tags/list` },
        response => resolve(response.resume().statusCode!),
      )
        .on("error", reject)
        .end();
    });
    expect([400, 404]).toContain(answer);
  },
);

test("collection takes what no manifest needs after its grace, while the rest is served", async () => {
  await f.pushManifest("web", "1", await f.imageOf("web", "kept"));
  const orphan = await f.pushBlob("web", "orphan");
  const untagged = (await f.pushManifest("web", "2", await f.imageOf("web", "old"))).headers.get(
    "docker-content-digest",
  )!;
  await f.pushManifest("web", "2", await f.imageOf("web", "new"));
  expect(await f.registry.collect()).toMatchObject({ blobs: 0, manifests: 0 });
  f.now_ms += 2 * 60 * 60 * 1000;
  expect(await f.registry.collect({ untagged: true })).toMatchObject({ manifests: 1, blobs: 2 });
  expect((await fetch(`${f.base}/v2/web/blobs/${orphan}`)).status).toBe(404);
  expect((await fetch(`${f.base}/v2/web/manifests/${untagged}`)).status).toBe(404);
  expect((await fetch(`${f.base}/v2/web/blobs/${digestOf("kept")}`)).status).toBe(200);
  expect([...(await f.registry.used()).digests]).toContain(digestOf("kept"));
});

test("a read-only registry serves and takes nothing", async () => {
  const digest = await f.pushBlob("web", "data");
  await f.stop();
  await f.start({ readOnly: true });
  expect((await fetch(`${f.base}/v2/web/blobs/${digest}`)).status).toBe(200);
  expect((await fetch(`${f.base}/v2/web/blobs/uploads/`, { method: "POST" })).status).toBe(403);
  expect((await fetch(`${f.base}/v2/web/blobs/${digest}`, { method: "DELETE" })).status).toBe(403);
});

test("a mirror keeps what it fetched and serves it when the upstream is gone", async () => {
  const layer = Buffer.from("from afar");
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      layers: [{ mediaType: "x", digest: digestOf(layer), size: layer.length }],
    }),
  );
  let online = true;
  const fetched: string[] = [];
  const upstream: Upstream = {
    async manifest(_, reference) {
      if (!online) throw new Error("gone");
      fetched.push(reference);
      return { data: manifest, mediaType: ociManifest };
    },
    async blob(_, { digest }) {
      if (!online) throw new Error("gone");
      fetched.push(digest);
      return Readable.from([layer]);
    },
  };
  await f.stop();
  await f.start({ upstream });
  const pull = async () => [
    await (await fetch(`${f.base}/v2/library/web/manifests/1`)).text(),
    await (await fetch(`${f.base}/v2/library/web/blobs/${digestOf(layer)}`)).text(),
  ];
  const first = await pull();
  expect(first).toEqual([manifest.toString(), "from afar"]);
  online = false;
  expect(await pull()).toEqual(first);
  expect(fetched).toEqual(["1", digestOf(layer)]);
  expect((await fetch(`${f.base}/v2/library/other/manifests/1`)).status).toBe(404);
});
