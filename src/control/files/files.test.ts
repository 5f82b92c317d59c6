import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { SqliteStore } from "../../drivers/sqlite/store.ts";
import { readKeyFile, writeKeyFile } from "./key-file.ts";
import { Keyring, keyFromPassphrase } from "./keyring.ts";
import { StoredFiles } from "./stored-files.ts";

describe("secrets and configs in the store", () => {
  let directory: string;
  let store: SqliteStore;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "berth-files-"));
    store = new SqliteStore({ path: ":memory:", clock: systemClock });
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  const open = (...keys: Buffer[]) => new StoredFiles({ store, keyring: new Keyring(keys), clock: systemClock });
  const secret = (content: string) => ({
    file: { app: "shop", kind: "secret" as const, name: "key" },
    content: Buffer.from(content),
  });

  it("are sealed, and opened with the key", async () => {
    const files = open(randomBytes(32));
    const { file, content } = secret("hunter2");
    const id = await files.put(file, content);
    expect(JSON.stringify((await store.list("")).items)).not.toContain("hunter2");
    expect((await files.read(id)).toString()).toBe("hunter2");
  });

  it("have one id for one content, another for another, and the id tells nothing without the key", async () => {
    const [ours, theirs] = [open(randomBytes(32)), new SqliteStore({ path: ":memory:", clock: systemClock })];
    const others = new StoredFiles({ store: theirs, keyring: new Keyring([randomBytes(32)]), clock: systemClock });
    const id = (files: StoredFiles, content: string) => files.idOf("shop", "secret", "key", Buffer.from(content));
    expect(await id(ours, "a")).toBe(await id(ours, "a"));
    expect(await id(ours, "a")).not.toBe(await id(ours, "b"));
    expect(await id(ours, "a")).not.toBe(await id(others, "a"));
    await theirs[Symbol.asyncDispose]();
  });

  it("are not opened with another key, nor when they were changed", async () => {
    const key = randomBytes(32);
    const { file, content } = secret("hunter2");
    const id = await open(key).put(file, content);
    await expect(open(randomBytes(32)).read(id)).rejects.toMatchObject({ code: "forbidden" });
    const entry = (await store.get(`file/${id}`))!;
    const changed = { ...JSON.parse(entry.value), sealed: Buffer.from("x".repeat(60)).toString("base64") };
    await store.commit({ operations: [{ type: "put", key: entry.key, value: JSON.stringify(changed) }] });
    await expect(open(key).read(id)).rejects.toMatchObject({ code: "corrupt" });
  });

  it("keep their ids when the key is rotated, and need the new key only", async () => {
    const [old, next] = [randomBytes(32), randomBytes(32)];
    const { file, content } = secret("hunter2");
    const id = await open(old).put(file, content);
    expect(await open(next, old).rotate()).toBe(2);
    expect(await open(next, old).rotate()).toBe(0);
    const after = open(next);
    expect((await after.read(id)).toString()).toBe("hunter2");
    expect(await after.idOf("shop", "secret", "key", content)).toBe(id);
  });

  it("have a key file that is made once, for its owner alone", () => {
    const path = join(directory, "key");
    const [key] = readKeyFile(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readKeyFile(path)).toEqual([key]);
    writeKeyFile(path, [randomBytes(32), key!]);
    expect(readKeyFile(path)[1]).toEqual(key);
    chmodSync(path, 0o644);
    expect(() => readKeyFile(path)).toThrow(/lets others read it/);
    chmodSync(path, 0o600);
    writeFileSync(path, "short\n");
    expect(() => readKeyFile(path)).toThrow(expect.objectContaining({ code: "corrupt" }));
  });

  it("can be sealed with a passphrase", () => {
    const salt = Buffer.alloc(16, 1);
    expect(keyFromPassphrase("a phrase", salt)).toEqual(keyFromPassphrase("a phrase", salt));
    expect(keyFromPassphrase("a phrase", salt)).not.toEqual(keyFromPassphrase("another", salt));
  });
});
