import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { mount, unmountIfMounted } from "../../src/drivers/linux/mount.ts";
import { OverlayLayers } from "../../src/drivers/overlay/overlay-layers.ts";
import { DiskContentStore } from "../../src/image/content/content-store.ts";
import { chainIds } from "../../src/image/layer/chain-id.ts";
import type { Descriptor } from "../../src/model/image.ts";
import type { Change } from "../../src/ports/layers.ts";
import { tarOf } from "../../src/testing/tar-of.ts";

interface Store extends AsyncDisposable {
  root: string;
  content: DiskContentStore;
  layers: OverlayLayers;
}

let dir: string;
const open: Store[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "berth-layers-"));
});
afterEach(async () => {
  for (const store of open.splice(0)) await store[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

function openStore(root = join(dir, "store")): Store {
  const locks = new FileLocks(systemClock);
  const content = new DiskContentStore({ root: join(root, "content"), locks, clock: systemClock });
  const layers = new OverlayLayers({ root, content, locks, clock: systemClock });
  const store: Store = {
    root,
    content,
    layers,
    async [Symbol.asyncDispose]() {
      for (const id of await layers.roots()) await layers.removeRoot(id);
      await layers[Symbol.asyncDispose]();
    },
  };
  open.push(store);
  return store;
}

const sh = (cwd: string, script: string) => execFileSync("sh", ["-euc", script], { cwd, encoding: "utf8" });
const ingest = ({ layers }: Store, tar: Buffer, parent: string[] = []) =>
  layers.ingest(Readable.from([tar], { objectMode: false }), { parent });

/** Everything about a tree that a container can see, but times of directories that overlayfs keeps to itself. */
function listing(path: string): string {
  return sh(
    path,
    `find . -mindepth 1 -printf '%P %y %m %U:%G %s %n %l\\n' | sed 's/ d \\([0-7]*\\) \\([0-9:]*\\) .*/ d \\1 \\2/' | LC_ALL=C sort; find . -type f | LC_ALL=C sort | xargs -r md5sum`,
  );
}

/** Nothing half-done in a store: no temporary directory, no dead link, no mount. */
function leftovers(root: string): string[] {
  const overlay = join(root, "overlay");
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter(line => line.includes(overlay));
  const links = sh(join(overlay, "l"), "find . -xtype l").split("\n").filter(Boolean);
  return [...readdirSync(join(overlay, "trash")), ...readdirSync(join(overlay, "work")), ...links, ...mounts];
}

test("128 layers mount, from a data directory of any length, and the topmost wins", async () => {
  const store = openStore(join(dir, "a-rather-long-name-of-a-data-directory".repeat(3)));
  const stack: string[] = [];
  for (let at = 0; at < 128; at++) {
    const tar = tarOf({ path: "top", content: String(at) }, { path: `layer-${at}` });
    stack.push((await ingest(store, tar, stack)).diffId);
  }
  const start_ms = performance.now();
  const root = await store.layers.createRoot("tall", stack);
  expect(performance.now() - start_ms).toBeLessThan(500);
  expect(readFileSync(join(root.mergedPath, "top"), "utf8")).toBe("127");
  expect(readdirSync(root.mergedPath)).toHaveLength(129);
});

test("changes are listed, sized, and committed; the root goes on, and the new layer shows the same", async () => {
  const store = openStore();
  const base = await ingest(store, tarOf("etc/", { path: "etc/passwd", content: "root" }, "old/", "old/file", "kept"));
  const root = await store.layers.createRoot("one", [base.diffId]);
  sh(
    root.mergedPath,
    "echo more >>etc/passwd; rm -r old; mkdir old; echo 12345 >old/new; rm kept; mkdir -m 700 private; ln etc/passwd same",
  );
  const changes = await store.layers.changes("one");
  expect(changes).toEqual([
    { kind: "modified", path: "/etc" },
    { kind: "modified", path: "/etc/passwd" },
    { kind: "deleted", path: "/kept" },
    { kind: "modified", path: "/old" },
    { kind: "deleted", path: "/old/file" },
    { kind: "added", path: "/old/new" },
    { kind: "added", path: "/private" },
    { kind: "added", path: "/same" },
  ] satisfies Change[]);
  expect(await store.layers.changesSize("one")).toBe(9 + 6);
  const layer = await store.layers.commit("one");
  const copy = await store.layers.createRoot("two", [base.diffId, layer.diffId]);
  expect(listing(copy.mergedPath)).toBe(listing(root.mergedPath));
  writeFileSync(join(root.mergedPath, "old/new"), "later");
  expect(readFileSync(join(copy.mergedPath, "old/new"), "utf8")).toBe("12345\n");
});

test("a commit that consumes its root gives the same layer, by moving the files", async () => {
  const store = openStore();
  const base = await ingest(store, tarOf("tmp/", "gone"));
  for (const id of ["copied", "moved"]) {
    const { mergedPath } = await store.layers.createRoot(id, [base.diffId]);
    sh(mergedPath, "rm gone; echo x >tmp/file; touch -d @5000 tmp/file tmp");
  }
  const copied = await store.layers.commit("copied", { sourceDateEpoch: 4000 });
  const moved = await store.layers.commit("moved", { sourceDateEpoch: 4000, consume: true });
  expect(moved).toEqual(copied);
  expect(await store.layers.roots()).toEqual(["copied"]);

  const other = openStore(join(dir, "other"));
  const again = await ingest(other, tarOf("tmp/", "gone"));
  const consumed = await other.layers.createRoot("only", [again.diffId]);
  sh(consumed.mergedPath, "rm gone; echo x >tmp/file; touch -d @5000 tmp/file tmp");
  const inode = statSync(join(consumed.upperPath, "tmp/file")).ino;
  const layer = await other.layers.commit("only", { sourceDateEpoch: 4000, consume: true, compression: "zstd" });
  expect(layer.diffId).toBe(copied.diffId);
  const view = await other.layers.createRoot("view", [again.diffId, layer.diffId]);
  const inodes = sh(join(other.root, "overlay/layers"), "find . -name file -printf '%i\\n'").split("\n");
  expect(inodes).toContain(String(inode));
  expect(statSync(join(view.mergedPath, "tmp/file")).mtimeMs).toBe(4_000_000);
  expect(readdirSync(view.mergedPath)).toEqual(["tmp"]);
});

test("random work in a root gives a diff that makes the same tree elsewhere", async () => {
  const store = openStore();
  const name = fc.constantFrom("a", "b", "c", "é", "a/b", "a/c", "b/a", "b/c/a");
  const step = fc.oneof(
    fc
      .tuple(name, fc.nat({ max: 5000 }))
      .map(([path, size]) => `rm -rf '${path}'; head -c ${size} /dev/zero >'${path}'`),
    name.map(path => `mkdir -p '${path}'`),
    name.map(path => `rm -rf '${path}'`),
    fc.tuple(name, name).map(([from, to]) => `ln -sfn '${from}' '${to}'`),
    fc.tuple(name, name).map(([from, to]) => `ln -fn '${from}' '${to}'`),
    fc.tuple(name, name).map(([from, to]) => `mv -T '${from}' '${to}'`),
    fc.tuple(name, fc.constantFrom("4755", "1777", "600")).map(([path, mode]) => `chmod ${mode} '${path}'`),
    fc.tuple(name, fc.nat({ max: 70_000 })).map(([path, owner]) => `chown -h ${owner}:${owner} '${path}'`),
  );
  const work = fc.tuple(fc.array(step, { maxLength: 12 }), fc.array(step, { maxLength: 12 }));
  let count = 0;
  await fc.assert(
    fc.asyncProperty(work, async ([first, second]) => {
      const run = `run-${count++}`;
      const stack: string[] = [];
      let tree = "";
      for (const steps of [first, second]) {
        const root = await store.layers.createRoot(`${run}-${stack.length}`, stack);
        sh(root.mergedPath, steps.map(line => `(${line}) 2>/dev/null || true`).join("\n"));
        tree = listing(root.mergedPath);
        const diff = await buffer(await store.layers.diff(root.id));
        expect(diff.equals(await buffer(await store.layers.diff(root.id)))).toBe(true);
        const { diffId } = await ingest(store, diff, stack);
        stack.push(diffId);
      }
      const made = await store.layers.createRoot(`${run}-made`, stack);
      expect(listing(made.mergedPath)).toBe(tree);
    }),
    { numRuns: 25, seed: 7 },
  );
});

test("a wrong diff id, a damaged blob and a cut one are corrupt, and leave nothing", async () => {
  const store = openStore();
  const good = tarOf("a", { path: "b", content: Buffer.alloc(100_000, "b") });
  const { blob, diffId } = await ingest(store, good);
  await store.layers.collect([], { grace_ms: 0 });
  const wrong = `sha256:${"0".repeat(64)}`;
  await expect(store.layers.unpack([{ blob, diffId: wrong }])).rejects.toMatchObject({ code: "corrupt" });
  for (const bad of [good.subarray(0, 50_000), Buffer.concat([Buffer.alloc(600, 1), good])]) {
    const { digest, size } = await store.content.put(bad);
    const broken = { mediaType: blob.mediaType, digest, size };
    await expect(store.layers.unpack([{ blob: broken, diffId }])).rejects.toMatchObject({ code: "corrupt" });
  }
  expect(readdirSync(join(store.root, "overlay/layers"))).toEqual([]);
  await store.layers[Symbol.asyncDispose]();
  expect(leftovers(store.root)).toEqual([]);
});

test("the lowest failure of a stack is the one that is told, and the good layers stay", async () => {
  const store = openStore();
  const one = await ingest(store, tarOf("one"));
  const evil = await store.content.put(tarOf("../../evil"));
  const blob: Descriptor = { mediaType: one.blob.mediaType, digest: evil.digest, size: evil.size };
  const last = { ...one, diffId: one.diffId };
  const stack = [one, { blob, diffId: evil.digest }, last];
  await expect(store.layers.unpack(stack)).rejects.toMatchObject({
    code: "invalid",
    message: /leads out of the layer/,
  });
  expect(await store.layers.sizes([one.diffId])).toEqual([0]);
  await expect(store.layers.sizes([one.diffId, evil.digest])).rejects.toMatchObject({ code: "not_found" });
});

test("a full disk ends an unpack with what to do about it, and gives the space back", async () => {
  const small = join(dir, "small");
  mkdirSync(small);
  mount("tmpfs", small, "tmpfs", 0, "size=4m");
  try {
    const locks = new FileLocks(systemClock);
    const { content, layers: source } = openStore();
    const tar = tarOf({ path: "much", content: Buffer.alloc(8 << 20, "m") });
    const { blob, diffId } = await source.ingest(Readable.from([tar], { objectMode: false }));
    const layers = new OverlayLayers({ root: small, content, locks, clock: systemClock });
    await expect(layers.unpack([{ blob, diffId }])).rejects.toMatchObject({
      code: "exhausted",
      hint: expect.stringContaining("prune"),
    });
    await layers.settle();
    expect(Number(sh(small, "du -sk . | cut -f1"))).toBeLessThan(100);
    await layers[Symbol.asyncDispose]();
  } finally {
    unmountIfMounted(small);
  }
});

test("callers of one layer share the work, and one that gives up does not stop the others", async () => {
  const store = openStore();
  const tar = tarOf({ path: "a", content: Buffer.alloc(1 << 20, "a") });
  const layer = await ingest(store, tar);
  await store.layers.collect([], { grace_ms: 0 });
  const steps: string[] = [];
  const stop = new AbortController();
  const onProgress = ({ status }: { status: string }) => steps.push(status);
  const all = [
    store.layers.unpack([layer], { onProgress }),
    store.layers.unpack([layer], { onProgress, signal: stop.signal }),
    store.layers.unpack([layer], { onProgress }),
  ];
  stop.abort();
  const [first, second, third] = await Promise.allSettled(all);
  expect([first!.status, second!.status, third!.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(steps.filter(status => status === "Pull complete")).toHaveLength(1);
});

test("kill -9 in the middle of an unpack leaves only what the next collection removes", async () => {
  const store = openStore();
  const stack: { blob: Descriptor; diffId: string }[] = [];
  for (let layer = 0; layer < 3; layer++) {
    const files = Array.from({ length: 150 }, (_, at) => ({
      path: `d${layer}/f${at}`,
      content: Buffer.alloc(20_000, `${layer}${at}`),
    }));
    stack.push(
      await ingest(
        store,
        tarOf(...files),
        stack.map(({ diffId }) => diffId),
      ),
    );
  }
  const hash = createHash("sha256");
  for (let layer = 0; layer < 3; layer++) {
    const names = Array.from({ length: 150 }, (_, at) => `f${at}`).sort();
    for (const name of names) hash.update(Buffer.alloc(20_000, `${layer}${name.slice(1)}`));
  }
  const whole = hash.digest("hex");
  let interrupted = 0;
  let seed = 42;
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  for (let attempt = 0; attempt < 6; attempt++) {
    await store.layers.collect([], { grace_ms: 0 });
    for (let kill = 0; kill < 2; kill++) {
      await killedUnpack(store.root, stack, random() * 80);
      if (sh(join(store.root, "overlay/work"), "find . -name 'layer-*'") !== "") interrupted++;
    }
    await store.layers.unpack(stack);
    const ids = stack.map(({ diffId }) => diffId);
    const root = await store.layers.createRoot("check", ids);
    expect(sh(root.mergedPath, "LC_ALL=C cat d0/* d1/* d2/* | sha256sum").split(" ")[0]).toBe(whole);
    await store.layers.removeRoot("check");
  }
  // The kills must have met it at work, or this shows nothing.
  expect(interrupted).toBeGreaterThan(2);
  await store.layers.collect([], { grace_ms: 0 });
  await store.layers[Symbol.asyncDispose]();
  expect(leftovers(store.root)).toEqual([]);
  expect(readdirSync(join(store.root, "overlay/layers"))).toEqual([]);
});

/** Starts a process that unpacks, and kills it so long after it began. */
async function killedUnpack(root: string, stack: unknown, delay_ms: number): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "layers-child.ts"), root, JSON.stringify(stack)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise(resolve => child.on("close", resolve));
  await new Promise(resolve => child.stdout.once("data", resolve));
  await systemClock.sleep(delay_ms);
  child.kill("SIGKILL");
  await ended;
}

test("a layer that was not on disk when the power failed is unpacked again", async () => {
  const before = openStore();
  const layer = await ingest(before, tarOf({ path: "file", content: "whole" }));
  await before.layers.createRoot("mine", [layer.diffId]);
  await before.layers.unmount("mine");
  await before.layers.settle();
  const [chainId] = chainIds([layer.diffId]);
  const directory = join(before.root, "overlay/layers", chainId!.slice(7));
  const record = JSON.parse(readFileSync(join(directory, "layer.json"), "utf8")) as { boot?: string };
  expect(record.boot).toBeUndefined();
  writeFileSync(join(directory, "layer.json"), JSON.stringify({ ...record, boot: "an earlier one" }));
  writeFileSync(join(directory, "diff/file"), "");

  const after = openStore();
  const root = await after.layers.mount("mine");
  expect(readFileSync(join(root.mergedPath, "file"), "utf8")).toBe("whole");
});

test("collection keeps what is used, stood on, or fresh; removal of a root is idempotent", async () => {
  const store = openStore();
  const base = await ingest(store, tarOf({ path: "base", content: "12345" }));
  const upper = await ingest(store, tarOf({ path: "upper", content: "123" }), [base.diffId]);
  const stack = [base.diffId, upper.diffId];
  await store.layers.createRoot("holder", stack);
  expect(await store.layers.collect([])).toBe(0);
  expect(await store.layers.collect([], { grace_ms: 0 })).toBe(0);
  await store.layers.removeRoot("holder");
  await store.layers.removeRoot("holder");
  expect(await store.layers.collect([])).toBe(0);
  expect(await store.layers.collect([[base.diffId]], { only: [stack] })).toBe(3);
  expect(await store.layers.sizes([base.diffId])).toEqual([5]);
  expect(await store.layers.collect([], { grace_ms: 0 })).toBe(5);
  await expect(store.layers.createRoot("late", [base.diffId])).rejects.toMatchObject({ code: "not_found" });
});

test("a root's name is taken once, and options that overlayfs has not are refused by name", async () => {
  const { layers } = openStore();
  await layers.createRoot("name", []);
  await expect(layers.createRoot("name", [])).rejects.toMatchObject({ code: "already_exists" });
  await expect(layers.createRoot("../name", [])).rejects.toMatchObject({ code: "invalid" });
  await expect(layers.createRoot("sized", [], { storageOptions: { size: "1G" } })).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("size"),
  });
  await expect(layers.mount("nobody")).rejects.toMatchObject({ code: "not_found" });
});

test("a view is one mount for all its users, read-only, and gone with the last", async () => {
  const store = openStore();
  const base = await ingest(store, tarOf("base"));
  const first = await store.layers.view("image", [base.diffId]);
  const second = await store.layers.view("image", [base.diffId]);
  expect(second.path).toBe(first.path);
  expect(() => writeFileSync(join(first.path, "new"), "")).toThrow(/EROFS/);
  await first[Symbol.asyncDispose]();
  expect(readdirSync(second.path)).toEqual(["base"]);
  await second[Symbol.asyncDispose]();
  expect(leftovers(store.root).filter(line => line.includes("overlay "))).toEqual([]);
});

test("a layer comes in as it is when compressed, and always with the digest that its bytes have", async () => {
  const store = openStore();
  const tar = tarOf({ path: "a", content: Buffer.alloc(300_000, "a") });
  const gzipped = execFileSync("gzip", ["-1"], { input: tar });
  const sha = (data: Buffer) => `sha256:${createHash("sha256").update(data).digest("hex")}`;
  const kept = await ingest(store, gzipped);
  expect([kept.blob.digest, kept.diffId]).toEqual([sha(gzipped), sha(tar)]);
  const plain = await store.layers.ingest(Readable.from([gzipped], { objectMode: false }), { compression: "none" });
  expect([plain.blob.digest, plain.diffId]).toEqual([sha(tar), sha(tar)]);
  await expect(ingest(store, gzipped.subarray(0, gzipped.length / 2))).rejects.toMatchObject({ code: "corrupt" });
});
