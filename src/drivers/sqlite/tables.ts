import type { DatabaseSync, StatementSync } from "node:sqlite";
import { BerthError } from "../../base/errors.ts";
import type { Change, ChangeBatch, Entry, Listing, Transaction } from "../../ports/store.ts";

interface CurrentRow {
  key: string;
  value: string;
  create_revision: number;
  mod_revision: number;
  version: number;
  lease: string | null;
}

interface HistoryRow {
  revision: number;
  key: string;
  value: string | null;
  create_revision: number;
  version: number;
  lease: string | null;
}

/** All statements on the store's tables. Nothing here begins or ends a database transaction; callers do. */
export class Tables {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  revision: number;
  compactedRevision: number;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.revision = this.#meta("revision");
    this.compactedRevision = this.#meta("compacted");
  }

  get(key: string): Entry | undefined {
    const row = this.#sql("SELECT * FROM current WHERE key = ?").get(key);
    return row && toEntry(row as unknown as CurrentRow);
  }

  list(prefix: string, limit: number, after: string | undefined): Listing {
    const from = after !== undefined && after >= prefix ? after : undefined;
    const rows = this.#sql(
      `SELECT * FROM current WHERE key ${from === undefined ? ">=" : ">"} ? AND key < ? ORDER BY key LIMIT ?`,
    ).all(from ?? prefix, prefixEnd(prefix), limit + 1) as unknown as CurrentRow[];
    return { items: rows.slice(0, limit).map(toEntry), revision: this.revision, more: rows.length > limit };
  }

  /** Applies one transaction; undefined when a comparison does not hold. A transaction that changes nothing takes no revision. */
  apply(transaction: Transaction): ChangeBatch | undefined {
    for (const { key, modRevision } of transaction.compare ?? []) {
      if ((this.get(key)?.modRevision ?? 0) !== modRevision) return undefined;
    }
    const revision = this.revision + 1;
    const changes: Change[] = [];
    for (const operation of transaction.operations) {
      if (operation.type === "put") changes.push(this.#put(operation.key, operation.value, operation.lease, revision));
      else for (const key of this.#keysOf(operation)) changes.push({ type: "delete", key, modRevision: revision });
    }
    if (changes.length === 0) return { revision: this.revision, changes };
    for (const [sequence, change] of changes.entries()) this.#record(change, revision, sequence);
    this.revision = revision;
    return { revision, changes };
  }

  changesFrom(revision: number, prefix: string): ChangeBatch[] {
    const rows = this.#sql(
      "SELECT * FROM history WHERE revision >= ? AND key >= ? AND key < ? ORDER BY revision, sequence",
    ).all(revision, prefix, prefixEnd(prefix)) as unknown as HistoryRow[];
    const batches: ChangeBatch[] = [];
    for (const row of rows) {
      if (batches.at(-1)?.revision !== row.revision) batches.push({ revision: row.revision, changes: [] });
      batches.at(-1)!.changes.push(toChange(row));
    }
    return batches;
  }

  saveRevision(): void {
    this.#sql("UPDATE meta SET value = ? WHERE name = 'revision'").run(this.revision);
  }

  compact(revision: number): void {
    this.compactedRevision = Math.max(this.compactedRevision, Math.min(revision, this.revision));
    this.#sql("DELETE FROM history WHERE revision <= ?").run(this.compactedRevision);
    this.#sql("UPDATE meta SET value = ? WHERE name = 'compacted'").run(this.compactedRevision);
  }

  leases(): { id: string; ttl_ms: number }[] {
    return this.#sql("SELECT * FROM lease").all() as unknown as { id: string; ttl_ms: number }[];
  }

  leaseExists(id: string): boolean {
    return this.#sql("SELECT 1 FROM lease WHERE id = ?").get(id) !== undefined;
  }

  addLease(id: string, ttl_ms: number): void {
    this.#sql("INSERT INTO lease VALUES (?, ?)").run(id, ttl_ms);
  }

  removeLease(id: string): void {
    this.#sql("DELETE FROM lease WHERE id = ?").run(id);
  }

  keysOfLease(id: string): string[] {
    const rows = this.#sql("SELECT key FROM current WHERE lease = ? ORDER BY key").all(id);
    return rows.map(row => String(row["key"]));
  }

  #put(key: string, value: string, lease: string | undefined, revision: number): Change {
    if (lease !== undefined && !this.leaseExists(lease)) {
      throw new BerthError("not_found", `committing to the store: the lease of key "${key}" has ended`);
    }
    const before = this.get(key);
    const entry: Entry = {
      key,
      value,
      createRevision: before?.createRevision ?? revision,
      modRevision: revision,
      version: (before?.version ?? 0) + 1,
      ...(lease === undefined ? {} : { lease }),
    };
    this.#sql("INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?, ?, ?)").run(
      key,
      value,
      entry.createRevision,
      revision,
      entry.version,
      lease ?? null,
    );
    return { type: "put", entry };
  }

  #keysOf(operation: { type: "delete"; key: string } | { type: "deletePrefix"; prefix: string }): string[] {
    const rows =
      operation.type === "delete"
        ? this.#sql("DELETE FROM current WHERE key = ? RETURNING key").all(operation.key)
        : this.#sql("DELETE FROM current WHERE key >= ? AND key < ? RETURNING key").all(
            operation.prefix,
            prefixEnd(operation.prefix),
          );
    return rows.map(row => String(row["key"])).sort();
  }

  #record(change: Change, revision: number, sequence: number): void {
    const entry = change.type === "put" ? change.entry : undefined;
    this.#sql("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)").run(
      revision,
      sequence,
      change.type === "put" ? change.entry.key : change.key,
      entry?.value ?? null,
      entry?.createRevision ?? 0,
      entry?.version ?? 0,
      entry?.lease ?? null,
    );
  }

  #meta(name: string): number {
    return Number(this.#sql("SELECT value FROM meta WHERE name = ?").get(name)?.["value"] ?? 0);
  }

  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) this.#statements.set(text, (statement = this.#database.prepare(text)));
    return statement;
  }
}

/** Keys are below 0x7f (see checkTransaction), so this is greater than every key with the prefix and less than every other key above them. */
function prefixEnd(prefix: string): string {
  return prefix + "\x7f";
}

function toEntry(row: CurrentRow): Entry {
  return {
    key: row.key,
    value: row.value,
    createRevision: row.create_revision,
    modRevision: row.mod_revision,
    version: row.version,
    ...(row.lease === null ? {} : { lease: row.lease }),
  };
}

function toChange(row: HistoryRow): Change {
  if (row.value === null) return { type: "delete", key: row.key, modRevision: row.revision };
  return { type: "put", entry: toEntry({ ...row, value: row.value, mod_revision: row.revision }) };
}
