import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { isCode } from "../../base/errors.ts";
import { storeSuite } from "../../ports/store.suite.ts";
import { SimulatedClock } from "../../testing/clock.ts";
import { restoreStore } from "./restore.ts";
import { SqliteStore } from "./store.ts";

storeSuite("sqlite", async () => {
  const directory = mkdtempSync(join(tmpdir(), "berth-store-"));
  const path = join(directory, "store.db");
  const clock = new SimulatedClock();
  const open = () => new SqliteStore({ path, clock, defer: queueMicrotask });
  const subject = {
    store: open(),
    advance: (time_ms: number) => clock.advance(time_ms),
    async reopen() {
      await subject.store[Symbol.asyncDispose]();
      subject.store = open();
      return subject.store;
    },
    async dispose() {
      await subject.store[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
  return subject;
});

describe("the SQLite store's file", () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "berth-store-"));
    path = join(directory, "store.db");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const open = () => new SqliteStore({ path, clock: systemClock });

  async function fill(): Promise<void> {
    await using store = open();
    const value = "v".repeat(2000);
    for (let i = 0; i < 4; i++) {
      const operations = Array.from({ length: 50 }, (_, j) => ({ type: "put" as const, key: `k/${i}/${j}`, value }));
      await store.commit({ operations });
    }
  }

  it.each([0, 100, 4096, 50_000])("is refused when cut short to %d bytes, with the way to restore", async size => {
    await fill();
    truncateSync(path, size);
    expect(open).toThrow(expect.objectContaining({ code: "corrupt", hint: expect.stringContaining("restore") }));
  });

  it("is refused when its middle is overwritten", async () => {
    await fill();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 8192, 40_000);
    writeFileSync(path, bytes);
    expect(open).toThrow(expect.objectContaining({ code: "corrupt" }));
  });

  it("is refused when it is another program's", () => {
    writeFileSync(path, "not a database at all, but long enough to look at".repeat(100));
    expect(open).toThrow(expect.objectContaining({ code: "corrupt" }));
  });

  it("is not opened by two at once", async () => {
    await using _first = open();
    expect(open).toThrow(expect.objectContaining({ code: "in_use" }));
  });

  it("is backed up while in use and restored over a damaged one, which is kept aside", async () => {
    await fill();
    const backup = join(directory, "backup.db");
    {
      await using store = open();
      await store.backup(backup);
      await expect(store.backup(backup)).rejects.toSatisfy(thrown => isCode(thrown, "already_exists"));
      expect(() => restoreStore(backup, path)).toThrow(expect.objectContaining({ code: "in_use" }));
    }
    truncateSync(path, 5000);
    const { kept } = restoreStore(backup, path);
    expect(kept).toBe(`${path}.before-restore`);
    await using restored = open();
    expect((await restored.list("k/")).items).toHaveLength(200);
  });

  it("does not restore a damaged backup", async () => {
    await fill();
    const backup = join(directory, "backup.db");
    copyFileSync(path, backup);
    truncateSync(backup, 20_000);
    expect(() => restoreStore(backup, path)).toThrow(expect.objectContaining({ code: "corrupt" }));
    await using store = open();
    expect((await store.list("k/")).items).toHaveLength(200);
  });

  it("shares one disk sync among transactions that arrive together", async () => {
    await using store = open();
    const started_ms = performance.now();
    const commits = await Promise.all(
      Array.from({ length: 2000 }, (_, i) =>
        store.commit({ operations: [{ type: "put", key: `t/${i}`, value: "x" }] }),
      ),
    );
    expect(new Set(commits.map(({ revision }) => revision)).size).toBe(2000);
    expect(performance.now() - started_ms).toBeLessThan(1000);
  });
});
