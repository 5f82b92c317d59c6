import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { asBerthError, BerthError } from "../../base/errors.ts";
import { applicationId, createSchema, schemaVersion } from "./schema.ts";

const restoreHint =
  "restore the newest backup with 'berth system restore FILE' (workloads keep running), or move the file away to begin empty";

/** A SQLite result code (sqlite.org/rescode.html) as the BerthError that says what to do. */
export function asStoreError(thrown: unknown, path: string): BerthError {
  const code = thrown instanceof Error && "errcode" in thrown ? Number(thrown.errcode) & 0xff : 0;
  const found = thrown instanceof Error ? thrown.message : String(thrown);
  if (code === 5 || code === 6) {
    return new BerthError("in_use", `opening the store ${path}: another process has it open`, {
      cause: thrown,
      hint: "stop the other berthd of this root first",
    });
  }
  if (code === 11 || code === 26) {
    return new BerthError("corrupt", `reading the store ${path}: ${found}`, { cause: thrown, hint: restoreHint });
  }
  if (code === 13) {
    return new BerthError("exhausted", `writing the store ${path}: ${found}`, {
      cause: thrown,
      hint: "free space on its disk; nothing of this change was kept",
    });
  }
  if (code === 10) {
    return new BerthError("unavailable", `accessing the store ${path}: ${found}`, { cause: thrown });
  }
  return asBerthError(thrown);
}

/**
 * Opens the file, and makes it where it does not exist. A new file is made beside its name and renamed, so that whatever carries the name was once whole:
 * an empty or cut-short file there is damage, and is refused (`corrupt`) instead of being taken for a fresh store.
 */
export function openFile(path: string): DatabaseSync {
  if (path !== ":memory:" && !existsSync(path)) createFile(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    if (path === ":memory:") createSchema(database);
    else verify(database, path);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    // Takes the exclusive lock now rather than at the first write.
    database.exec("BEGIN IMMEDIATE; COMMIT");
    return database;
  } catch (thrown) {
    database?.close();
    throw asStoreError(thrown, path);
  }
}

/** Throws `corrupt` unless the file is a whole Berth store of a version that this program knows. */
export function verify(database: DatabaseSync, path: string): void {
  const application = number(database, "PRAGMA application_id");
  if (application !== applicationId) {
    throw new BerthError("corrupt", `reading the store ${path}: the file is not a Berth store, or was emptied`, {
      hint: restoreHint,
    });
  }
  const version = number(database, "PRAGMA user_version");
  if (version !== schemaVersion) {
    throw new BerthError(
      "unsupported",
      `reading the store ${path}: it has format ${version}, this Berth knows ${schemaVersion}`,
      { hint: "use the version of Berth that wrote it" },
    );
  }
  const found = database.prepare("PRAGMA quick_check(3)").all();
  const first = Object.values(found[0] ?? {})[0];
  if (first !== "ok") {
    const sentence = String(first).replaceAll("\n", "; ");
    throw new BerthError("corrupt", `reading the store ${path}: ${sentence}`, { hint: restoreHint });
  }
}

export function number(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
}

function createFile(path: string): void {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const database = new DatabaseSync(temporary);
  try {
    createSchema(database);
  } finally {
    database.close();
  }
  placeFile(temporary, path);
}

/** Makes `temporary` durable and gives it its name. */
export function placeFile(temporary: string, path: string): void {
  syncPath(temporary);
  renameSync(temporary, path);
  syncPath(dirname(path));
}

function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
