import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChangeBatch, Store, Watch } from "./store.ts";
import { needsResync, storeLimits } from "./store.ts";

export interface StoreSubject {
  store: Store;
  /** Lets leases grow older. */
  advance(time_ms: number): Promise<void>;
  /** Ends the store as a crash would and opens it again. */
  reopen(): Promise<Store>;
  dispose(): Promise<void>;
}

/** What every Store driver must do; each driver's test calls it with a way to make a store. */
export function storeSuite(driver: string, open: () => Promise<StoreSubject>): void {
  describe(`Store: ${driver}`, () => {
    let subject: StoreSubject;
    let store: Store;
    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });
    afterEach(() => subject.dispose());

    const put = (key: string, value = key) => store.commit({ operations: [{ type: "put", key, value }] });
    keysAndRevisions(() => ({ store, put }));
    transactions(() => ({ store, put }));
    watches(() => ({ store, put }));
    leases(() => ({ store, put, subject }));
    lasting(() => ({ store, put, subject }));
  });
}

interface Context {
  store: Store;
  put(key: string, value?: string): Promise<{ revision: number }>;
}

function keysAndRevisions(context: () => Context): void {
  it("counts revisions and versions as etcd does", async () => {
    const { store, put } = context();
    const first = await put("a", "1");
    const second = await put("a", "2");
    expect(second.revision).toBe(first.revision + 1);
    expect(await store.get("a")).toEqual({
      key: "a",
      value: "2",
      createRevision: first.revision,
      modRevision: second.revision,
      version: 2,
    });
    expect(await store.get("b")).toBeUndefined();
  });

  it("makes a deleted key anew", async () => {
    const { store, put } = context();
    await put("a");
    await store.commit({ operations: [{ type: "delete", key: "a" }] });
    const { revision } = await put("a");
    expect(await store.get("a")).toMatchObject({ createRevision: revision, version: 1 });
  });

  it("lists a prefix in order, in pages", async () => {
    const { store, put } = context();
    for (const key of ["b/2", "a/1", "b/1", "b0", "b/3", "c"]) await put(key);
    const all = await store.list("b/");
    expect(all.items.map(item => item.key)).toEqual(["b/1", "b/2", "b/3"]);
    expect(all.more).toBe(false);
    const page = await store.list("b/", { limit: 2 });
    expect([page.items.length, page.more]).toEqual([2, true]);
    const rest = await store.list("b/", { limit: 2, after: "b/2" });
    expect(rest.items.map(item => item.key)).toEqual(["b/3"]);
    expect((await store.list("")).items).toHaveLength(6);
  });
}

function transactions(context: () => Context): void {
  it("does all of a transaction at one revision", async () => {
    const { store, put } = context();
    await put("old/1");
    await put("old/2");
    const { revision } = await store.commit({
      operations: [
        { type: "put", key: "new", value: "x" },
        { type: "deletePrefix", prefix: "old/" },
      ],
    });
    const { items } = await store.list("");
    expect(items.map(item => [item.key, item.modRevision])).toEqual([["new", revision]]);
  });

  it("does nothing when a comparison fails", async () => {
    const { store, put } = context();
    const { revision } = await put("a", "1");
    const stale = await store.commit({
      compare: [{ key: "a", modRevision: revision - 1 }],
      operations: [{ type: "put", key: "a", value: "2" }],
    });
    expect(stale).toEqual({ committed: false, revision });
    expect((await store.get("a"))?.value).toBe("1");
  });

  it("lets one of many win that make the same key", async () => {
    const { store } = context();
    const attempts = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        store.commit({
          compare: [{ key: "leader", modRevision: 0 }],
          operations: [{ type: "put", key: "leader", value: String(i) }],
        }),
      ),
    );
    expect(attempts.filter(attempt => attempt.committed)).toHaveLength(1);
  });

  it("takes no revision for what changes nothing", async () => {
    const { store, put } = context();
    const { revision } = await put("a");
    expect(await store.commit({ operations: [{ type: "delete", key: "none" }] })).toEqual({
      committed: true,
      revision,
    });
  });

  it("refuses what no driver could keep", async () => {
    const { store } = context();
    const big = "x".repeat(storeLimits.value_bytes + 1);
    await expect(store.commit({ operations: [{ type: "put", key: "a", value: big }] })).rejects.toThrow(/at most/);
    await expect(store.commit({ operations: [{ type: "put", key: "a b", value: "" }] })).rejects.toThrow(/printable/);
    const twice = { type: "put" as const, key: "a", value: "" };
    await expect(store.commit({ operations: [twice, twice] })).rejects.toThrow(/twice/);
    expect((await store.list("")).items).toEqual([]);
  });
}

function watches(context: () => Context): void {
  it("replays from a revision, then follows, whole transactions at a time", async () => {
    const { store, put } = context();
    await put("a/1");
    const { revision } = await put("a/2");
    await put("b/1");
    using watch = store.watch("a/", { from: revision });
    await store.commit({
      operations: [
        { type: "put", key: "a/3", value: "3" },
        { type: "delete", key: "a/1" },
        { type: "put", key: "b/2", value: "" },
      ],
    });
    const [replayed, live] = await take(watch, 2);
    expect(keys(replayed!)).toEqual(["+a/2"]);
    expect(keys(live!).sort()).toEqual(["+a/3", "-a/1"]);
  });

  it("begins with the next change by default, and misses none committed after the call", async () => {
    const { store, put } = context();
    await put("a");
    using watch = store.watch("");
    void put("b");
    expect(keys((await take(watch, 1))[0]!)).toEqual(["+b"]);
  });

  it("ends when it is aborted", async () => {
    const { store } = context();
    const stop = new AbortController();
    const watch = store.watch("", { signal: stop.signal });
    const taken = take(watch, 1);
    stop.abort();
    expect(await taken).toEqual([]);
  });

  it("says so when the past it needs is compacted, and still knows the present", async () => {
    const { store, put } = context();
    const first = await put("a", "1");
    const { revision } = await put("a", "2");
    await store.compact(revision);
    expect(await take(store.watch("", { from: first.revision }), 1).catch(needsResync)).toBe(true);
    expect((await store.get("a"))?.value).toBe("2");
    using watch = store.watch("", { from: revision + 1 });
    await put("b");
    expect(keys((await take(watch, 1))[0]!)).toEqual(["+b"]);
  });
}

function leases(context: () => Context & { subject: StoreSubject }): void {
  it("deletes the keys of a lease that nobody kept alive", async () => {
    const { store, subject } = context();
    const lease = await store.grantLease(5000);
    await store.commit({ operations: [{ type: "put", key: "host/1", value: "up", lease }] });
    await subject.advance(3000);
    await store.keepLeaseAlive(lease);
    await subject.advance(3000);
    expect(await store.get("host/1")).toMatchObject({ value: "up", lease });
    using watch = store.watch("host/");
    await subject.advance(6000);
    expect(keys((await take(watch, 1))[0]!)).toEqual(["-host/1"]);
    await expect(store.keepLeaseAlive(lease)).rejects.toThrow(/has ended/);
  });

  it("deletes them at once when it is revoked, and takes no more", async () => {
    const { store } = context();
    const lease = await store.grantLease(5000);
    const operation = { type: "put" as const, key: "a", value: "", lease };
    await store.commit({ operations: [operation] });
    await store.revokeLease(lease);
    expect(await store.get("a")).toBeUndefined();
    await expect(store.commit({ operations: [operation] })).rejects.toThrow(/lease/);
  });

  it("leaves a key that was put again without its lease", async () => {
    const { store, put } = context();
    const lease = await store.grantLease(5000);
    await store.commit({ operations: [{ type: "put", key: "a", value: "", lease }] });
    await put("a", "mine");
    await store.revokeLease(lease);
    expect((await store.get("a"))?.value).toBe("mine");
  });
}

function lasting(context: () => Context & { subject: StoreSubject }): void {
  it("keeps every committed change over a crash, and goes on counting", async () => {
    const { put, subject } = context();
    let last = 0;
    for (let i = 0; i < 50; i++) last = (await put(`key/${i}`)).revision;
    const store = await subject.reopen();
    expect((await store.list("key/")).items).toHaveLength(50);
    expect((await store.status()).revision).toBe(last);
    const next = await store.commit({ operations: [{ type: "put", key: "z", value: "" }] });
    expect(next.revision).toBe(last + 1);
    using watch = store.watch("key/", { from: last });
    expect(keys((await take(watch, 1))[0]!)).toEqual(["+key/49"]);
  });

  it("ends leases that were granted before a restart", async () => {
    const { store, subject } = context();
    const lease = await store.grantLease(5000);
    await store.commit({ operations: [{ type: "put", key: "a", value: "", lease }] });
    const again = await subject.reopen();
    using watch = again.watch("a");
    await subject.advance(6000);
    expect(keys((await take(watch, 1))[0]!)).toEqual(["-a"]);
  });
}

async function take(watch: Watch, count: number): Promise<ChangeBatch[]> {
  const batches: ChangeBatch[] = [];
  for await (const batch of watch) {
    batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

function keys(batch: ChangeBatch): string[] {
  return batch.changes.map(change => (change.type === "put" ? `+${change.entry.key}` : `-${change.key}`));
}
