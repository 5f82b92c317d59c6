import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { FileLocks } from "../drivers/linux/file-locks.ts";
import { DiskContentStore } from "../image/content/content-store.ts";
import { Access, type AccessRules, hashPassword } from "./access.ts";
import { Registry, type Upstream } from "./registry.ts";
import { createRegistryServer } from "./server.ts";

const digestOf = (data: Buffer | string) => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const ociManifest = "application/vnd.oci.image.manifest.v1+json";

let root: string;
let content: DiskContentStore;
let registry: Registry;
let server: Server;
let base: string;
let now_ms: number;

async function start(options: { access?: AccessRules; readOnly?: boolean; upstream?: Upstream } = {}): Promise<void> {
  registry = new Registry({
    root,
    content,
    clock: { ...systemClock, now_ms: () => now_ms },
    upstream: options.upstream,
  });
  const access = options.access && new Access(options.access, Buffer.from("secret"), () => now_ms);
  server = createRegistryServer({ registry, logger: silentLogger, access, readOnly: options.readOnly }).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stop(): Promise<void> {
  server.closeAllConnections();
  server.close();
  await registry[Symbol.asyncDispose]();
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "berth-registry-"));
  now_ms = Date.now();
  content = new DiskContentStore({
    root: join(root, "content"),
    locks: new FileLocks(systemClock),
    clock: systemClock,
  });
  await start();
});

afterEach(async () => {
  await stop();
  rmSync(root, { recursive: true, force: true });
});

async function pushBlob(repository: string, data: Buffer | string): Promise<string> {
  const digest = digestOf(data);
  const answer = await fetch(`${base}/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    method: "POST",
    body: data,
  });
  expect(answer.status).toBe(201);
  return digest;
}

async function pushManifest(repository: string, reference: string, manifest: object): Promise<Response> {
  return await fetch(`${base}/v2/${repository}/manifests/${reference}`, {
    method: "PUT",
    body: JSON.stringify(manifest),
    headers: { "Content-Type": ociManifest },
  });
}

async function imageOf(repository: string, layer = "layer", extra: object = {}) {
  const config = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: await pushBlob(repository, "{}"),
    size: 2,
  };
  const layers = [
    {
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest: await pushBlob(repository, layer),
      size: layer.length,
    },
  ];
  return { schemaVersion: 2, mediaType: ociManifest, config, layers, ...extra };
}

const errorCode = async (answer: Response) => ((await answer.json()) as { errors: { code: string }[] }).errors[0]!.code;

describe("pushing", () => {
  test("a blob in chunks: each must begin where the last ended, and the whole must hash to its digest", async () => {
    const started = await fetch(`${base}/v2/team/web/blobs/uploads/`, { method: "POST" });
    const location = base + started.headers.get("location");
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
    expect(await (await fetch(`${base}/v2/team/web/blobs/${digest}`)).text()).toBe("hello world");
  });

  test("an upload cut off in the middle is not visible, tells how far it came, and goes on after a restart", async () => {
    const whole = Buffer.alloc(8 * 1024 * 1024, "upload ");
    const path = (await fetch(`${base}/v2/web/blobs/uploads/`, { method: "POST" })).headers.get("location")!;
    const request = httpRequest(base + path, { method: "PATCH", headers: { "Content-Length": whole.length } });
    request.on("error", () => undefined);
    request.write(whole.subarray(0, 6 * 1024 * 1024));
    const ingests = join(root, "content", "ingest");
    const received = () => Math.max(...readdirSync(ingests).map(name => statSync(join(ingests, name)).size));
    await expect.poll(received).toBeGreaterThan(1024 * 1024);
    request.destroy();
    const offset = async () => Number((await fetch(base + path)).headers.get("range")!.split("-")[1]) + 1;
    const before = await offset();
    expect(before).toBeGreaterThan(1024 * 1024);
    await stop();
    await start();
    expect(await offset()).toBe(before);
    const digest = digestOf(whole);
    expect((await fetch(`${base}/v2/web/blobs/${digest}`, { method: "HEAD" })).status).toBe(404);
    expect(
      (await fetch(`${base + path}?digest=${digest}`, { method: "PUT", body: whole.subarray(before) })).status,
    ).toBe(201);
    expect((await fetch(`${base}/v2/web/blobs/${digest}`, { method: "HEAD" })).headers.get("content-length")).toBe(
      String(whole.length),
    );
  });

  test("a wrong digest is refused and leaves nothing", async () => {
    const answer = await fetch(`${base}/v2/web/blobs/uploads/?digest=${digestOf("other")}`, {
      method: "POST",
      body: "data",
    });
    expect([answer.status, await errorCode(answer)]).toEqual([400, "DIGEST_INVALID"]);
    expect((await fetch(`${base}/v2/web/blobs/${digestOf("data")}`)).status).toBe(404);
  });

  test("a cancelled upload is gone", async () => {
    const location = base + (await fetch(`${base}/v2/web/blobs/uploads/`, { method: "POST" })).headers.get("location");
    expect((await fetch(location, { method: "DELETE" })).status).toBe(204);
    expect(await errorCode(await fetch(location, { method: "PATCH", body: "x" }))).toBe("BLOB_UPLOAD_UNKNOWN");
  });

  test("a blob is mounted from another repository without its bytes, and only from one that has it", async () => {
    const digest = await pushBlob("one", "shared");
    expect((await fetch(`${base}/v2/two/blobs/${digest}`)).status).toBe(404);
    expect((await fetch(`${base}/v2/two/blobs/uploads/?mount=${digest}&from=none`, { method: "POST" })).status).toBe(
      202,
    );
    expect((await fetch(`${base}/v2/two/blobs/uploads/?mount=${digest}&from=one`, { method: "POST" })).status).toBe(
      201,
    );
    expect(await (await fetch(`${base}/v2/two/blobs/${digest}`)).text()).toBe("shared");
  });

  test("a manifest that needs what is not there is refused, naming it", async () => {
    const manifest = await imageOf("web");
    manifest.layers[0]!.digest = digestOf("never pushed");
    const answer = await pushManifest("web", "1", manifest);
    expect([answer.status, await errorCode(answer)]).toEqual([404, "MANIFEST_BLOB_UNKNOWN"]);
  });

  test("two pushes of one tag at once: the tag points at one of them, and both can be pulled by digest", async () => {
    const [one, two] = [await imageOf("web", "one"), await imageOf("web", "two")];
    const answers = await Promise.all([pushManifest("web", "latest", one), pushManifest("web", "latest", two)]);
    const digests = answers.map(answer => answer.headers.get("docker-content-digest")!);
    const tagged = await fetch(`${base}/v2/web/manifests/latest`);
    expect(digests).toContain(tagged.headers.get("docker-content-digest"));
    expect(digestOf(await tagged.text())).toBe(tagged.headers.get("docker-content-digest"));
    for (const digest of digests) expect((await fetch(`${base}/v2/web/manifests/${digest}`)).status).toBe(200);
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
    const answer = await fetch(`${base}/v2/web/manifests/1`, { method: "PUT", body }).catch(() => undefined);
    // A body far over the limit may be answered by a closed connection before it is sent.
    if (answer !== undefined) expect(await errorCode(answer)).toBe(code);
    expect((await fetch(`${base}/v2/web/manifests/1`)).status).toBe(404);
  });
});

describe("pulling", () => {
  test("ranges of a blob, and one that lies outside", async () => {
    const digest = await pushBlob("web", "0123456789");
    const part = await fetch(`${base}/v2/web/blobs/${digest}`, { headers: { Range: "bytes=2-4" } });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-4/10", "234"]);
    expect(await (await fetch(`${base}/v2/web/blobs/${digest}`, { headers: { Range: "bytes=-3" } })).text()).toBe(
      "789",
    );
    expect((await fetch(`${base}/v2/web/blobs/${digest}`, { headers: { Range: "bytes=10-" } })).status).toBe(416);
  });

  test("tags and repositories are listed in order, page by page", async () => {
    const manifest = await imageOf("a/b");
    for (const tag of ["3", "1", "2"]) await pushManifest("a/b", tag, manifest);
    await pushManifest("c", "1", await imageOf("c"));
    const page = await fetch(`${base}/v2/a/b/tags/list?n=2`);
    expect(await page.json()).toEqual({ name: "a/b", tags: ["1", "2"] });
    const next = /<([^>]+)>; rel="next"/.exec(page.headers.get("link")!)![1]!;
    expect(await (await fetch(base + next)).json()).toEqual({ name: "a/b", tags: ["3"] });
    expect(await (await fetch(`${base}/v2/_catalog?last=a/b`)).json()).toEqual({ repositories: ["c"] });
    expect((await fetch(`${base}/v2/c/tags/list?n=x`)).status).toBe(400);
  });

  test("what refers to a manifest is listed, filtered by type, and gone with it", async () => {
    const image = await imageOf("web");
    const subject = {
      mediaType: ociManifest,
      digest: (await pushManifest("web", "1", image)).headers.get("docker-content-digest")!,
      size: 1,
    };
    const signature = await imageOf("web", "signature", {
      subject,
      artifactType: "application/vnd.example.signature",
      annotations: { by: "me" },
    });
    const pushed = await pushManifest("web", digestOf(JSON.stringify(signature)), signature);
    expect(pushed.headers.get("oci-subject")).toBe(subject.digest);
    const list = async (query = "") =>
      ((await (await fetch(`${base}/v2/web/referrers/${subject.digest}${query}`)).json()) as { manifests: object[] })
        .manifests;
    expect(await list()).toMatchObject([
      { artifactType: "application/vnd.example.signature", annotations: { by: "me" } },
    ]);
    expect(await list("?artifactType=other")).toEqual([]);
    await fetch(`${base}/v2/web/manifests/${pushed.headers.get("docker-content-digest")}`, { method: "DELETE" });
    expect(await list()).toEqual([]);
  });

  test("deleting a manifest takes its tags, deleting a tag leaves the manifest", async () => {
    const digest = (await pushManifest("web", "1", await imageOf("web"))).headers.get("docker-content-digest")!;
    await pushManifest("web", "2", await imageOf("web"));
    expect((await fetch(`${base}/v2/web/manifests/1`, { method: "DELETE" })).status).toBe(202);
    expect((await fetch(`${base}/v2/web/manifests/${digest}`)).status).toBe(200);
    expect((await fetch(`${base}/v2/web/manifests/${digest}`, { method: "DELETE" })).status).toBe(202);
    expect((await fetch(`${base}/v2/web/manifests/2`)).status).toBe(404);
  });
});

test.each(["..", "a/../b", "A", "a//b", "a/.hidden", "_tags", "a%2f..%2fb", `${"a/".repeat(200)}b`])(
  "the repository name %s is refused and touches no file",
  async name => {
    const answer = await new Promise<number>((resolve, reject) => {
      // fetch would tidy the path before sending it.
      httpRequest(
        { host: "127.0.0.1", port: (server.address() as AddressInfo).port, path: `/v2/${name}/tags/list` },
        response => resolve(response.resume().statusCode!),
      )
        .on("error", reject)
        .end();
    });
    expect([400, 404]).toContain(answer);
  },
);

test("collection takes what no manifest needs after its grace, while the rest is served", async () => {
  await pushManifest("web", "1", await imageOf("web", "kept"));
  const orphan = await pushBlob("web", "orphan");
  const untagged = (await pushManifest("web", "2", await imageOf("web", "old"))).headers.get("docker-content-digest")!;
  await pushManifest("web", "2", await imageOf("web", "new"));
  expect(await registry.collect()).toMatchObject({ blobs: 0, manifests: 0 });
  now_ms += 2 * 60 * 60 * 1000;
  expect(await registry.collect({ untagged: true })).toMatchObject({ manifests: 1, blobs: 2 });
  expect((await fetch(`${base}/v2/web/blobs/${orphan}`)).status).toBe(404);
  expect((await fetch(`${base}/v2/web/manifests/${untagged}`)).status).toBe(404);
  expect((await fetch(`${base}/v2/web/blobs/${digestOf("kept")}`)).status).toBe(200);
  expect([...(await registry.used()).digests]).toContain(digestOf("kept"));
});

test("a read-only registry serves and takes nothing", async () => {
  const digest = await pushBlob("web", "data");
  await stop();
  await start({ readOnly: true });
  expect((await fetch(`${base}/v2/web/blobs/${digest}`)).status).toBe(200);
  expect((await fetch(`${base}/v2/web/blobs/uploads/`, { method: "POST" })).status).toBe(403);
  expect((await fetch(`${base}/v2/web/blobs/${digest}`, { method: "DELETE" })).status).toBe(403);
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
    async blob(_, digest) {
      if (!online) throw new Error("gone");
      fetched.push(digest);
      const { Readable } = await import("node:stream");
      return Readable.from([layer]);
    },
  };
  await stop();
  await start({ upstream });
  const pull = async () => [
    await (await fetch(`${base}/v2/library/web/manifests/1`)).text(),
    await (await fetch(`${base}/v2/library/web/blobs/${digestOf(layer)}`)).text(),
  ];
  const first = await pull();
  expect(first).toEqual([manifest.toString(), "from afar"]);
  online = false;
  expect(await pull()).toEqual(first);
  expect(fetched).toEqual(["1", digestOf(layer)]);
  expect((await fetch(`${base}/v2/library/other/manifests/1`)).status).toBe(404);
});

describe("access", () => {
  const rules: AccessRules = {
    users: {
      ann: { password: hashPassword("pw") },
      robot: { password: hashPassword("r2"), robot: true, expires: "2001-01-01T00:00:00Z" },
    },
    rules: [
      { who: "ann", repositories: "team/*", actions: ["pull", "push", "delete"] },
      { who: "ann", repositories: "*", actions: ["catalog"] },
      { who: "anonymous", repositories: "public/*", actions: ["pull"] },
    ],
  };
  const basic = (user: string, password: string) => ({
    Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
  });
  const routes: [string, string][] = [
    ["GET", "/v2/team/web/manifests/1"],
    ["PUT", "/v2/team/web/manifests/1"],
    ["DELETE", "/v2/team/web/manifests/1"],
    ["GET", `/v2/team/web/blobs/${digestOf("")}`],
    ["HEAD", `/v2/team/web/blobs/${digestOf("")}`],
    ["DELETE", `/v2/team/web/blobs/${digestOf("")}`],
    ["POST", "/v2/team/web/blobs/uploads/"],
    ["PATCH", `/v2/team/web/blobs/uploads/${"0".repeat(64)}`],
    ["PUT", `/v2/team/web/blobs/uploads/${"0".repeat(64)}?digest=${digestOf("")}`],
    ["GET", `/v2/team/web/blobs/uploads/${"0".repeat(64)}`],
    ["DELETE", `/v2/team/web/blobs/uploads/${"0".repeat(64)}`],
    ["GET", "/v2/team/web/tags/list"],
    ["GET", `/v2/team/web/referrers/${digestOf("")}`],
    ["GET", "/v2/_catalog"],
    ["GET", "/v2/"],
  ];

  beforeEach(async () => {
    await stop();
    await start({ access: rules });
  });

  test.each(routes)(
    "%s %s asks the unknown for credentials, and refuses a token for something else",
    async (method, path) => {
      const answer = await fetch(base + path, { method });
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([
        401,
        expect.stringContaining("Bearer realm="),
      ]);
      const { token } = (await (
        await fetch(`${base}/token?scope=repository:team/other:pull,push`, { headers: basic("ann", "pw") })
      ).json()) as { token: string };
      const wrong = await fetch(base + path, { method, headers: { Authorization: `Bearer ${token}` } });
      expect(wrong.status).toBe(path === "/v2/" ? 200 : 401);
      const forged = await fetch(base + path, { method, headers: { Authorization: `Bearer ${token.slice(0, -2)}xx` } });
      expect(forged.status).toBe(401);
    },
  );

  test("the token flow: challenge, token for what is allowed, request", async () => {
    const { headers } = await fetch(`${base}/v2/team/web/blobs/uploads/`, { method: "POST" });
    const [, realm, scope] = /realm="([^"]+)".*scope="([^"]+)"/.exec(headers.get("www-authenticate")!)!;
    const { token } = (await (await fetch(`${realm}?scope=${scope}`, { headers: basic("ann", "pw") })).json()) as {
      token: string;
    };
    const bearer = { Authorization: `Bearer ${token}` };
    expect((await fetch(`${base}/v2/team/web/blobs/uploads/`, { method: "POST", headers: bearer })).status).toBe(202);
    now_ms += 301_000;
    expect((await fetch(`${base}/v2/team/web/blobs/uploads/`, { method: "POST", headers: bearer })).status).toBe(401);
  });

  test("a user gets what the rules say and no more; a wrong password and an expired robot get nothing", async () => {
    expect(
      (await fetch(`${base}/v2/team/web/blobs/uploads/`, { method: "POST", headers: basic("ann", "pw") })).status,
    ).toBe(202);
    expect(
      (await fetch(`${base}/v2/ops/web/blobs/uploads/`, { method: "POST", headers: basic("ann", "pw") })).status,
    ).toBe(403);
    expect((await fetch(`${base}/v2/`, { headers: basic("ann", "wrong") })).status).toBe(401);
    expect((await fetch(`${base}/v2/`, { headers: basic("robot", "r2") })).status).toBe(401);
    expect((await fetch(`${base}/v2/public/web/tags/list`)).status).toBe(404);
  });

  test("a blob is not mounted out of a repository that the caller cannot read", async () => {
    await stop();
    await start();
    const digest = await pushBlob("secret/web", "private");
    await stop();
    await start({ access: rules });
    const answer = await fetch(`${base}/v2/team/web/blobs/uploads/?mount=${digest}&from=secret/web`, {
      method: "POST",
      headers: basic("ann", "pw"),
    });
    expect(answer.status).toBe(202);
    expect((await fetch(`${base}/v2/team/web/blobs/${digest}`, { headers: basic("ann", "pw") })).status).toBe(404);
  });
});
