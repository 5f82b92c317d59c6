import { copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { BerthError } from "../../base/errors.ts";
import { asStoreError, openFile, placeFile, verify } from "./file.ts";

/**
 * Puts a backup in the place of the store at `path`. The backup is checked first, and what was there is kept beside it as `<path>.before-restore`.
 * Throws `in_use` while a berthd has the store open, `corrupt` where the backup itself is damaged.
 */
export function restoreStore(backup: string, path: string): { kept: string | undefined } {
  if (!existsSync(backup)) throw new BerthError("not_found", `restoring the store from ${backup}: no such file`);
  check(backup);
  if (existsSync(path)) assertUnused(path);
  const temporary = `${path}.restoring`;
  rmSync(temporary, { force: true });
  copyFileSync(backup, temporary);
  let kept: string | undefined;
  if (existsSync(path)) {
    kept = `${path}.before-restore`;
    for (const tail of ["", "-wal", "-shm"]) {
      rmSync(kept + tail, { force: true });
      if (existsSync(path + tail)) renameSync(path + tail, kept + tail);
    }
  }
  placeFile(temporary, path);
  return { kept };
}

function check(backup: string): void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(backup, { readOnly: true });
    verify(database, backup);
  } catch (thrown) {
    throw asStoreError(thrown, backup);
  } finally {
    database?.close();
  }
}

/** A damaged store cannot be opened, and is exactly what a restore replaces: only a lock held by another process stands in the way. */
function assertUnused(path: string): void {
  try {
    openFile(path).close();
  } catch (thrown) {
    if (thrown instanceof BerthError && thrown.code === "in_use") throw thrown;
  }
}
