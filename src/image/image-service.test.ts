import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ImageSource } from "../ports/image-source.ts";
import { SimulatedClock } from "../testing/clock.ts";
import { type TestImages, testImages } from "../testing/image-store.ts";
import { dockerArchiveOf, sampleImage, streamOf, tarOf } from "../testing/sample-images.ts";

let store: TestImages;
let clock: SimulatedClock;
beforeEach(async () => {
  clock = new SimulatedClock();
  store = await testImages({ clock });
});
afterEach(() => store[Symbol.asyncDispose]());

async function add(names: string[], content = names.join()): Promise<string> {
  const layers: Record<string, string>[] = [{ base: "shared" }, { own: content }];
  const sample = sampleImage({ layers });
  await store.images.load(streamOf(dockerArchiveOf(sample, layers.map(tarOf), names)));
  return sample.id;
}

async function blobCount(): Promise<number> {
  let count = 0;
  for await (const _ of store.content.list()) count++;
  return count;
}

describe("finding", () => {
  test("by short name, full name, id, id prefix and digest", async () => {
    const id = await add(["team/app:1"]);
    const { manifest } = await store.images.get("team/app:1");
    for (const text of [
      "docker.io/team/app:1",
      id,
      id.slice(7),
      id.slice(7, 19),
      manifest.digest,
      `team/app@${manifest.digest}`,
    ]) {
      expect((await store.images.get(text)).id, text).toBe(id);
    }
    expect((await store.images.get(id)).tags).toEqual(["docker.io/team/app:1"]);
  });

  test("a tag that looks like an id prefix wins over the id", async () => {
    const id = await add(["a:1"]);
    const other = await add(["b:1"]);
    await store.images.tag("b:1", id.slice(7, 17));
    expect((await store.images.get(id.slice(7, 17))).id).toBe(other);
  });

  test("what is not there is said with a near miss", async () => {
    await add(["redis:7"]);
    await expect(store.images.get("redsi:7")).rejects.toMatchObject({
      code: "not_found",
      hint: expect.stringContaining("redis:7"),
    });
    await expect(store.images.get("redis:8")).rejects.toMatchObject({ hint: expect.stringContaining("redis:7") });
    await expect(store.images.get("REDIS")).rejects.toMatchObject({ code: "invalid" });
  });
});

describe("tagging", () => {
  test("a tag moves; the image it leaves has no name and is listed still", async () => {
    const old = await add(["app"], "old");
    const next = await add(["app"], "new");
    expect((await store.images.get("app")).id).toBe(next);
    expect((await store.images.get(old)).tags).toEqual([]);
    expect(await store.images.list()).toHaveLength(2);
  });

  test("many processes tag at once and none is lost", async () => {
    await add(["app"]);
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.images.tag("app", `copy:${index}`)));
    expect((await store.images.get("app")).tags).toHaveLength(21);
  });
});

describe("removing", () => {
  test("one of several tags is only taken off; the last takes the image and its own blobs along", async () => {
    const id = await add(["app:1"]);
    await add(["other:1"]);
    await store.images.tag("app:1", "app:2");
    expect(await store.images.remove("app:1")).toEqual([{ untagged: "app:1" }]);
    const before = await blobCount();
    expect(await store.images.remove("app:2")).toEqual([{ untagged: "app:2" }, { deleted: id }]);
    expect(before - (await blobCount())).toBe(3); // manifest, configuration and its own layer; the shared layer stays
    expect(store.layers.unpacked.size).toBe(2);
    expect((await store.images.get("other:1")).layers).toHaveLength(2);
  });

  test("an image in use stays, with the reason; forced, only its name goes", async () => {
    const id = await add(["app"]);
    const inUse = async () => "container web is using it";
    await expect(store.images.remove("app", { inUse })).rejects.toMatchObject({
      code: "in_use",
      message: expect.stringContaining("container web"),
    });
    await expect(store.images.remove(id, { inUse, force: true })).rejects.toMatchObject({ code: "in_use" });
    expect(await store.images.remove("app", { inUse, force: true })).toEqual([{ untagged: "app:latest" }]);
    expect((await store.images.get(id)).tags).toEqual([]);
  });

  test("by id with several names must be forced", async () => {
    const id = await add(["app:1", "app:2"]);
    await expect(store.images.remove(id)).rejects.toMatchObject({ code: "conflict" });
    expect(await store.images.remove(id, { force: true })).toHaveLength(3);
    expect(await store.images.list()).toEqual([]);
  });

  test("a blob that a concurrent pull has taken hold of stays", async () => {
    await add(["app"]);
    const { layers } = await store.images.get("app");
    await clock.advance(1000);
    await store.content.touch(layers[1]!.digest);
    await store.images.remove("app");
    expect(await store.content.info(layers[1]!.digest)).toBeDefined();
  });
});

describe("pruning", () => {
  const unused = async () => false;

  test("takes images without a tag, and with `all` every unused one", async () => {
    const old = await add(["app"], "old");
    await add(["app"], "new");
    const used = await add(["used"], "used");
    expect((await store.images.prune({ inUse: unused })).deleted).toEqual([old]);
    const all = await store.images.prune({ all: true, inUse: async id => id === used });
    expect(all.untagged).toEqual(["app:latest"]);
    expect((await store.images.list()).map(image => image.id)).toEqual([used]);
    expect(all.reclaimed_bytes).toBeGreaterThan(0);
  });

  test("by age and label", async () => {
    await add(["app"]);
    const created_ms = Date.parse("2026-01-02T03:04:05Z");
    expect((await store.images.prune({ all: true, until_ms: created_ms, inUse: unused })).deleted).toEqual([]);
    expect((await store.images.prune({ all: true, labels: ["sample=no"], inUse: unused })).deleted).toEqual([]);
    const pruned = await store.images.prune({
      all: true,
      until_ms: created_ms + 1,
      labels: ["sample=yes"],
      inUse: unused,
    });
    expect(pruned.deleted).toHaveLength(1);
  });

  test("sweeps what nobody names, once it is older than any pull takes", async () => {
    await store.content.put(Buffer.from("of a pull under way"));
    await store.images.prune({ inUse: unused });
    expect(await blobCount()).toBe(1);
    await clock.advance(2 * 60 * 60 * 1000);
    await store.images.prune({ inUse: unused });
    expect(await blobCount()).toBe(0);
  });

  test("leaves what others need", async () => {
    const { digest } = await store.content.put(Buffer.from("of a registry"));
    await using other = await testImages({
      clock,
      content: store.content,
      roots: [{ used: async () => ({ digests: [digest], diffIds: [] }) }],
    });
    await clock.advance(2 * 60 * 60 * 1000);
    await other.images.prune({ inUse: unused });
    expect(await blobCount()).toBe(1);
  });
});

test("history lists the steps, newest first, with sizes and names", async () => {
  const id = await add(["app"]);
  const lines = await store.images.history("app");
  expect(lines.map(line => [line.id, line.created_by, line.tags])).toEqual([
    [id, "step 1", ["app:latest"]],
    ["<missing>", "step 0", []],
  ]);
  expect(lines[0]!.size_bytes).toBeGreaterThan(0);
});

test("a root file system is imported as an image of one layer", async () => {
  const image = await store.images.import(streamOf(tarOf({ "bin/sh": "x" })), {
    reference: "rooted:1",
    config: { Cmd: ["sh"] },
  });
  expect((await store.images.get("rooted:1")).id).toBe(image.id);
  expect(image.config.rootfs.diff_ids).toHaveLength(1);
});

test("a base image comes from a source that offers it; others are refused with what there is", async () => {
  const source: ImageSource = {
    name: "sample",
    offers: "sample:<anything>",
    matches: reference => reference.startsWith("docker.io/library/sample:"),
    async produce() {
      const config = { Cmd: ["sh"] };
      const platform = { os: "linux", architecture: "amd64" };
      const tar = streamOf(tarOf({ "bin/sh": "x" }));
      const created = "2026-01-01T00:00:00Z";
      return { tar, config, platform, created, createdBy: "a test", [Symbol.asyncDispose]: async () => {} };
    },
  };
  await using host = await testImages({ clock, sources: [source] });
  expect([host.images.canBootstrap("sample"), host.images.canBootstrap("other")]).toEqual([true, false]);
  const first = await host.images.bootstrap("sample:1");
  expect(first.tags).toEqual(["docker.io/library/sample:1"]);
  expect((await host.images.bootstrap("sample:1")).id).toBe(first.id);
  await expect(host.images.bootstrap("other:1")).rejects.toMatchObject({
    code: "not_found",
    hint: expect.stringContaining("sample:<anything>"),
  });
});

test("an image is made of what is in the store, the same input giving the same id", async () => {
  const { blob, diffId } = await store.layers.ingest(streamOf(tarOf({ a: "b" })));
  const config = { os: "linux", architecture: "amd64", rootfs: { type: "layers" as const, diff_ids: [diffId] } };
  const first = await store.images.create({ config, layers: [blob], tags: ["made", "made:2"] });
  expect(first.tags).toEqual(["docker.io/library/made:2", "docker.io/library/made:latest"]);
  expect((await store.images.create({ config, layers: [blob] })).id).toBe(first.id);
});

test("disk usage counts shared layers once", async () => {
  await add(["a"]);
  await add(["b"]);
  const usage = await store.images.diskUsage();
  expect(usage.images).toBe(2);
  expect(usage.shared_bytes).toBe(tarOf({ base: "shared" }).length);
});
