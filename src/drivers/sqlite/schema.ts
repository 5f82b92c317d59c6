import type { DatabaseSync } from "node:sqlite";

/** "BRTH": marks the file as Berth's, so that another program's database, or an emptied file, is never taken for a store. */
export const applicationId = 0x42525448;
export const schemaVersion = 1;

/** `history` has a NULL value where the key was deleted. `meta` holds the numbers "revision" and "compacted". */
const tables = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE current (
  key TEXT PRIMARY KEY, value TEXT NOT NULL, create_revision INTEGER NOT NULL, mod_revision INTEGER NOT NULL,
  version INTEGER NOT NULL, lease TEXT
) WITHOUT ROWID;
CREATE INDEX current_lease ON current (lease) WHERE lease IS NOT NULL;
CREATE TABLE history (
  revision INTEGER NOT NULL, sequence INTEGER NOT NULL, key TEXT NOT NULL, value TEXT, create_revision INTEGER NOT NULL,
  version INTEGER NOT NULL, lease TEXT, PRIMARY KEY (revision, sequence)
) WITHOUT ROWID;
CREATE TABLE lease (id TEXT PRIMARY KEY, ttl_ms INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('revision', 0), ('compacted', 0);
`;

export function createSchema(database: DatabaseSync): void {
  database.exec("BEGIN");
  database.exec(tables);
  database.exec(`PRAGMA application_id = ${applicationId}`);
  database.exec(`PRAGMA user_version = ${schemaVersion}`);
  database.exec("COMMIT");
}
