import { utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BuildFixture } from "./build-fixture.ts";

let fixture: BuildFixture;
beforeAll(async () => {
  fixture = await BuildFixture.make();
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

const twelve = [
  "FROM busybox",
  "ARG VERSION=1",
  "ENV APP=/srv",
  "WORKDIR $APP",
  "RUN echo dependencies > deps",
  "COPY lib lib",
  "RUN cat lib/* > joined",
  "LABEL a=b",
  "EXPOSE 80",
  "COPY src src",
  "RUN cat src/* > built",
  'CMD ["cat", "built"]',
].join("\n");

test("building again does nothing and gives the same image", async () => {
  fixture.write({ "lib/l": "l", "src/s": "s" });
  const first = await fixture.build(twelve, { tags: ["app"] });
  expect(first.cachedSteps).toBe(0);
  const again = await fixture.build(twelve, { tags: ["app"] }, fixture.open());
  expect(again.cachedSteps).toBe(6);
  expect(again.output).toBe("");
  expect(again.imageId).toBe(first.imageId);
});

test("a touched but unchanged file does not miss; a changed one runs what depends on it and no more", async () => {
  const before = await fixture.build(twelve);
  utimesSync(join(fixture.context, "src/s"), 1e9, 1e9);
  expect((await fixture.build(twelve)).imageId).toBe(before.imageId);
  fixture.write({ "src/s": "changed" });
  const { cached, ran, imageId } = await fixture.build(twelve);
  expect(cached.filter(name => !name.startsWith("FROM"))).toEqual([
    "WORKDIR $APP",
    "RUN echo dependencies > deps",
    "COPY lib lib",
    "RUN cat lib/* > joined",
  ]);
  expect(ran.filter(name => /^(RUN|COPY)/.test(name))).toEqual(["COPY src src", "RUN cat src/* > built"]);
  expect(imageId).not.toBe(before.imageId);
});

test("what a file is called, its mode and its place count; the context around it does not", async () => {
  fixture.write({ "m/f": "same" });
  const text = "FROM scratch\nCOPY m /m\n";
  await fixture.build(text);
  fixture.write({ "elsewhere/file": "x" });
  expect((await fixture.build(text)).cachedSteps).toBe(1);
  const { chmodSync, renameSync } = await import("node:fs");
  chmodSync(join(fixture.context, "m/f"), 0o755);
  expect((await fixture.build(text)).cachedSteps).toBe(0);
  renameSync(join(fixture.context, "m/f"), join(fixture.context, "m/g"));
  expect((await fixture.build(text)).cachedSteps).toBe(0);
});

test("a stage that comes out the same lets its copies hit, whatever it did", async () => {
  const text = (n: number) =>
    `FROM busybox AS make\nRUN echo ${n} > /log && echo fixed > /out && touch -d @1000 /out\nFROM scratch\nCOPY --from=make /out /out\n`;
  const first = await fixture.build(text(1));
  const second = await fixture.build(text(2));
  expect(second.ran).toContain("RUN echo 2 > /log && echo fixed > /out && touch -d @1000 /out");
  expect(second.cached).toContain("COPY --from=make /out /out");
  expect(second.imageId).toBe(first.imageId);
});

test("arguments count where they are declared, labels and proxies never", async () => {
  const text = (label: string) => `FROM busybox\nLABEL l=${label}\nRUN echo before\nARG v\nRUN echo after $v\n`;
  await fixture.build(text("a"), { args: { v: "1" } });
  const changed = await fixture.build(text("b"), { args: { v: "2", http_proxy: "http://p" } });
  expect(changed.cached).toContain("RUN echo before");
  expect(changed.ran).toContain("RUN echo after $v");
});

test("--no-cache runs everything, --no-cache for a stage only that", async () => {
  const text = "FROM busybox AS one\nRUN echo 1 > /1\nFROM busybox\nRUN echo 2 > /2\nCOPY --from=one /1 /\n";
  await fixture.build(text);
  expect((await fixture.build(text, { noCache: true })).cachedSteps).toBe(0);
  const { ran } = await fixture.build(text, { noCacheStages: ["one"] });
  expect(ran.filter(name => name.startsWith("RUN"))).toEqual(["RUN echo 1 > /1"]);
});

test("equal steps of two stages run once", async () => {
  const same = "RUN sleep 0.2 && cat /proc/uptime > /id\n";
  const { output } = await fixture.build(
    `FROM busybox AS a\n${same}FROM busybox AS b\n${same}FROM busybox\nCOPY --from=a /id /a\nCOPY --from=b /id /b\nRUN cmp -s /a /b || echo differ\n`,
  );
  expect(output).toBe("");
});

test("a blob that is gone is a miss, not a failure", async () => {
  const text = "FROM busybox\nRUN echo fragile > /x\n";
  const { image } = await fixture.build(text);
  await fixture.images.remove(image!.id, { force: true });
  const blob = image!.layers.at(-1)!.digest;
  if (await fixture.content.info(blob)) await fixture.content.delete(blob);
  expect((await fixture.build(text)).cachedSteps).toBe(0);
});

test("usage is listed, what the cache needs is named for collection, and pruning frees it", async () => {
  await fixture.build("FROM busybox\nRUN --mount=type=cache,target=/c echo pruned > /c/x && echo pruned > /x\n");
  const usage = await fixture.builder.cacheUsage();
  expect(usage.map(record => record.kind)).toContain("mount");
  const { digests } = await fixture.builder.roots.used();
  expect([...digests].length).toBeGreaterThan(5);
  const { removed, reclaimed_bytes } = await fixture.builder.pruneCache();
  expect(removed).toHaveLength(usage.length);
  expect(reclaimed_bytes).toBeGreaterThan(0);
  expect(await fixture.builder.cacheUsage()).toEqual([]);
  expect((await fixture.build("FROM busybox\nRUN echo pruned > /x\n")).cachedSteps).toBe(0);
});
