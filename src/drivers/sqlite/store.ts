import { existsSync, rmSync, statSync } from "node:fs";
import { backup, type DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import type { CallOptions } from "../../ports/content.ts";
import {
  type ChangeBatch,
  type Commit,
  checkTransaction,
  type Entry,
  type Listing,
  type ListOptions,
  resyncError,
  type Store,
  type StoreStatus,
  type Transaction,
  type Watch,
  type WatchOptions,
} from "../../ports/store.ts";
import { asStoreError, number, openFile, placeFile } from "./file.ts";
import { Tables } from "./tables.ts";
import { Watchers } from "./watchers.ts";

export interface SqliteStoreOptions {
  /** A file, or ":memory:". */
  path: string;
  clock: Clock;
  /** Runs the next group of transactions; the longer it waits, the more share one disk sync. Simulations pass `queueMicrotask`. */
  defer?: (flush: () => void) => void;
}

/** What waits for the next group: runs inside a database transaction, and is told after the commit. */
interface Write {
  run(): ChangeBatch | undefined;
  resolve(batch: ChangeBatch | undefined): void;
  reject(thrown: unknown): void;
}

/**
 * The Store in one SQLite file of one process (WAL, synchronous=FULL). Transactions that arrive together share one commit and so one disk sync; each keeps
 * its own revision. Leases live on over a restart with their whole time to live again.
 */
export class SqliteStore implements Store {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #tables: Tables;
  readonly #clock: Clock;
  readonly #defer: (flush: () => void) => void;
  readonly #watchers = new Watchers();
  readonly #leaseTimers = new Map<string, () => void>();
  #writes: Write[] = [];
  #flushing = false;
  #closed = false;

  constructor({ path, clock, defer = setImmediate }: SqliteStoreOptions) {
    this.#path = path;
    this.#clock = clock;
    this.#defer = defer;
    this.#database = openFile(path);
    this.#tables = new Tables(this.#database);
    for (const lease of this.#tables.leases()) this.#startLease(lease.id, lease.ttl_ms);
  }

  async get(key: string, { signal }: CallOptions = {}): Promise<Entry | undefined> {
    this.#check(signal);
    return this.#read(() => this.#tables.get(key));
  }

  async list(prefix: string, { limit = Number.MAX_SAFE_INTEGER - 1, after, signal }: ListOptions = {}) {
    this.#check(signal);
    return this.#read<Listing>(() => this.#tables.list(prefix, limit, after));
  }

  async commit(transaction: Transaction, { signal }: CallOptions = {}): Promise<Commit> {
    this.#check(signal);
    checkTransaction(transaction);
    const batch = await this.#write(() => this.#tables.apply(transaction));
    return batch
      ? { committed: true, revision: batch.revision }
      : { committed: false, revision: this.#tables.revision };
  }

  watch(prefix: string, { from, signal }: WatchOptions = {}): Watch {
    this.#check(undefined);
    const tables = this.#tables;
    if (from !== undefined && from <= tables.compactedRevision) {
      const found = `changes from revision ${from} are forgotten (compacted up to ${tables.compactedRevision})`;
      return this.#watchers.open(prefix, resyncError(found), signal);
    }
    const past = from === undefined || from > tables.revision ? [] : this.#read(() => tables.changesFrom(from, prefix));
    return this.#watchers.open(prefix, past, signal, from ?? tables.revision + 1);
  }

  async grantLease(ttl_ms: number, { signal }: CallOptions = {}): Promise<string> {
    this.#check(signal);
    const id = newId().slice(0, 16);
    await this.#write(() => {
      this.#tables.addLease(id, ttl_ms);
      return undefined;
    });
    this.#startLease(id, ttl_ms);
    return id;
  }

  async keepLeaseAlive(lease: string, { signal }: CallOptions = {}): Promise<void> {
    this.#check(signal);
    const found = this.#tables.leases().find(({ id }) => id === lease);
    if (!found) throw new BerthError("not_found", `keeping the lease ${lease} alive: it has ended`);
    this.#startLease(lease, found.ttl_ms);
  }

  async revokeLease(lease: string, { signal }: CallOptions = {}): Promise<void> {
    this.#check(signal);
    this.#leaseTimers.get(lease)?.();
    this.#leaseTimers.delete(lease);
    await this.#write(() => {
      const operations = this.#tables.keysOfLease(lease).map(key => ({ type: "delete" as const, key }));
      this.#tables.removeLease(lease);
      return this.#tables.apply({ operations });
    });
  }

  async compact(revision: number, { signal }: CallOptions = {}): Promise<void> {
    this.#check(signal);
    await this.#write(() => {
      this.#tables.compact(revision);
      return undefined;
    });
  }

  async status({ signal }: CallOptions = {}): Promise<StoreStatus> {
    this.#check(signal);
    const size_bytes =
      number(this.#database, "PRAGMA page_count") * number(this.#database, "PRAGMA page_size") +
      (existsSync(`${this.#path}-wal`) ? statSync(`${this.#path}-wal`).size : 0);
    return {
      driver: "sqlite",
      revision: this.#tables.revision,
      compactedRevision: this.#tables.compactedRevision,
      size_bytes,
    };
  }

  async backup(path: string, { signal }: CallOptions = {}): Promise<void> {
    this.#check(signal);
    if (existsSync(path)) {
      throw new BerthError("already_exists", `backing up the store to ${path}: there is a file already`, {
        hint: "name a file that does not exist yet",
      });
    }
    const temporary = `${path}.part`;
    rmSync(temporary, { force: true });
    try {
      await backup(this.#database, temporary);
      placeFile(temporary, path);
    } catch (thrown) {
      rmSync(temporary, { force: true });
      throw asStoreError(thrown, this.#path);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    for (const cancel of this.#leaseTimers.values()) cancel();
    this.#watchers.closeAll();
    this.#database.close();
  }

  #write(run: () => ChangeBatch | undefined): Promise<ChangeBatch | undefined> {
    return new Promise((resolve, reject) => {
      this.#writes.push({ run, resolve, reject });
      if (this.#flushing) return;
      this.#flushing = true;
      this.#defer(() => this.#flush());
    });
  }

  /** One database transaction for all that waits. A write that throws before it changed anything fails alone; a failing commit fails all. */
  #flush(): void {
    this.#flushing = false;
    const writes = this.#writes;
    this.#writes = [];
    if (writes.length === 0 || this.#closed) return;
    const before = this.#tables.revision;
    const compactedBefore = this.#tables.compactedRevision;
    const done: (() => void)[] = [];
    const batches: ChangeBatch[] = [];
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const write of writes) {
        this.#database.exec("SAVEPOINT one");
        try {
          const batch = write.run();
          this.#database.exec("RELEASE one");
          if (batch && batch.changes.length > 0) batches.push(batch);
          done.push(() => write.resolve(batch));
        } catch (thrown) {
          if (!(thrown instanceof BerthError)) throw thrown;
          this.#database.exec("ROLLBACK TO one; RELEASE one");
          done.push(() => write.reject(thrown));
        }
      }
      if (this.#tables.revision !== before) this.#tables.saveRevision();
      this.#database.exec("COMMIT");
    } catch (thrown) {
      this.#tables.revision = before;
      this.#tables.compactedRevision = compactedBefore;
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      const error = asStoreError(thrown, this.#path);
      for (const write of writes) write.reject(error);
      return;
    }
    for (const batch of batches) this.#watchers.publish(batch);
    for (const tell of done) tell();
  }

  #startLease(id: string, ttl_ms: number): void {
    this.#leaseTimers.get(id)?.();
    const cancel = this.#clock.after(ttl_ms, () => {
      // A failing disk leaves the lease in the file: it ends after the next start instead.
      this.revokeLease(id).catch(() => this.#startLease(id, ttl_ms));
    });
    this.#leaseTimers.set(id, cancel);
  }

  #read<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw asStoreError(thrown, this.#path);
    }
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closed) throw new BerthError("unavailable", `using the store ${this.#path}: it is closed`);
  }
}
