import { BerthError } from "../base/errors.ts";
import type { CallOptions } from "./content.ts";

/**
 * The one place that holds what is wanted and what was observed. Shaped like etcd (its API guarantees are the model), so that etcd and an embedded
 * database can both be drivers:
 *
 * - **Keys** are flat printable ASCII, e.g. `task/3f2a…`; a **prefix** names a group of them. Values are text (JSON in all of Berth).
 * - Every committed transaction that changes something takes the next **revision**, a number that only grows. A key carries the revision that made it
 *   (`createRevision`), the one that last changed it (`modRevision`) and how many times it was written since it was made (`version`).
 * - A **transaction** compares first (`modRevision`, 0 for "does not exist") and then does all of its operations or none.
 * - A **watch** yields every change under a prefix from a revision on, whole transactions at a time, in order, none lost and none twice. Where the revision was
 *   compacted away, or the watcher fell too far behind, it ends with an error that `needsResync` knows: list again, and watch from there.
 * - A key put with a **lease** goes away with it, when nobody kept the lease alive for its time to live.
 *
 * The pattern of every reader: `const { items, revision } = await store.list(prefix)`, then `store.watch(prefix, { from: revision + 1 })`.
 */
export interface Store extends AsyncDisposable {
  /** Undefined where the key does not exist. */
  get(key: string, options?: CallOptions): Promise<Entry | undefined>;
  /** Keys in ascending order of their bytes. `after` continues a page: each page is read at its own revision, so watch from the first page's. */
  list(prefix: string, options?: ListOptions): Promise<Listing>;
  /**
   * All or nothing. Not committed means that a comparison did not hold; `revision` is then the store's current one.
   * Throws `invalid` for a malformed key or a key that is changed twice, `exhausted` beyond `storeLimits` or on a full disk, `not_found` for a lease that ended.
   */
  commit(transaction: Transaction, options?: CallOptions): Promise<Commit>;
  /** Registered when the call returns: a change committed afterwards is never missed. */
  watch(prefix: string, options?: WatchOptions): Watch;
  grantLease(ttl_ms: number, options?: CallOptions): Promise<string>;
  /** Throws `not_found` once the lease has ended. */
  keepLeaseAlive(lease: string, options?: CallOptions): Promise<void>;
  /** Deletes the lease and its keys. */
  revokeLease(lease: string, options?: CallOptions): Promise<void>;
  /** Forgets changes up to and including `revision`; what keys hold now stays. */
  compact(revision: number, options?: CallOptions): Promise<void>;
  status(options?: CallOptions): Promise<StoreStatus>;
  /** A consistent copy in one file at `path` (never overwritten: throws `already_exists`), while everything goes on. */
  backup(path: string, options?: CallOptions): Promise<void>;
}

export interface Entry {
  key: string;
  value: string;
  createRevision: number;
  modRevision: number;
  /** 1 when just made. */
  version: number;
  lease?: string;
}

export interface ListOptions extends CallOptions {
  /** Absent: all. */
  limit?: number;
  /** Only keys greater than this one. */
  after?: string;
}

export interface Listing {
  items: Entry[];
  revision: number;
  /** There are further keys. */
  more: boolean;
}

export interface Compare {
  key: string;
  /** What the key must have; 0: it must not exist. */
  modRevision: number;
}

export type Operation =
  | { type: "put"; key: string; value: string; lease?: string }
  | { type: "delete"; key: string }
  | { type: "deletePrefix"; prefix: string };

export interface Transaction {
  compare?: Compare[];
  operations: Operation[];
}

export interface Commit {
  committed: boolean;
  revision: number;
}

export type Change = { type: "put"; entry: Entry } | { type: "delete"; key: string; modRevision: number };

/** All changes of one transaction under the watched prefix. */
export interface ChangeBatch {
  revision: number;
  changes: Change[];
}

export interface WatchOptions extends CallOptions {
  /** The first revision wanted; absent: the next one. */
  from?: number;
}

/** Iterate once. Ends when disposed or when the signal aborts. */
export interface Watch extends AsyncIterable<ChangeBatch>, Disposable {}

export interface StoreStatus {
  driver: string;
  revision: number;
  /** Changes up to this one are forgotten. */
  compactedRevision: number;
  size_bytes: number;
}

/** Bounds that every driver keeps; those of an etcd with its default settings. */
export const storeLimits = {
  /** Comparisons, and operations, in one transaction. */
  operations: 128,
  value_bytes: 1_000_000,
  key_bytes: 512,
  /** Changes that a watcher may lag behind. */
  backlog: 100_000,
} as const;

/** The error that ends a watch which cannot go on without a gap. */
export function resyncError(found: string): BerthError {
  return new BerthError("conflict", `watching the store: ${found}`, {
    hint: "list the keys again and watch from the revision of that list",
    details: { resync: true },
  });
}

export function needsResync(thrown: unknown): boolean {
  return thrown instanceof BerthError && thrown.details?.["resync"] === true;
}

const keyPattern = /^[\x21-\x7e]+$/;

/** Throws `invalid` or `exhausted`; every driver calls it before it touches anything. */
export function checkTransaction(transaction: Transaction): void {
  const { compare = [], operations } = transaction;
  if (compare.length > storeLimits.operations || operations.length > storeLimits.operations) {
    throw new BerthError(
      "exhausted",
      `committing to the store: ${operations.length} operations with ${compare.length} comparisons; at most ${storeLimits.operations} of each fit`,
      { hint: "split the transaction" },
    );
  }
  const changed = new Set<string>();
  for (const { key } of compare) checkKey(key);
  for (const operation of operations) {
    if (operation.type === "deletePrefix") continue;
    checkKey(operation.key);
    if (changed.has(operation.key)) {
      throw new BerthError("invalid", `committing to the store: key "${operation.key}" is changed twice`);
    }
    changed.add(operation.key);
    if (operation.type === "put" && Buffer.byteLength(operation.value) > storeLimits.value_bytes) {
      throw new BerthError(
        "exhausted",
        `committing to the store: the value of "${operation.key}" has ${Buffer.byteLength(operation.value)} bytes; at most ${storeLimits.value_bytes} fit`,
      );
    }
  }
  for (const operation of operations) {
    if (operation.type !== "deletePrefix") continue;
    for (const key of changed) {
      if (key.startsWith(operation.prefix)) {
        throw new BerthError("invalid", `committing to the store: key "${key}" is changed and deleted by its prefix`);
      }
    }
  }
}

function checkKey(key: string): void {
  if (!keyPattern.test(key) || key.length > storeLimits.key_bytes) {
    throw new BerthError(
      "invalid",
      `store key ${JSON.stringify(key)}: keys are 1 to ${storeLimits.key_bytes} printable ASCII characters without spaces`,
    );
  }
}
