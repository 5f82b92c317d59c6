import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Locks } from "../../ports/locks.ts";
import { readIfThere, writeAtomically } from "../atomic-file.ts";
import { digestHex } from "../digest.ts";
import type { ImageRecord, ReferenceRecord } from "./image-record.ts";

const lockTimeout_ms = 60_000;

/** Reads without a lock: files are replaced whole, and a record is written before the first name points to it. */
export interface MetadataReader {
  references(): Promise<ReferenceRecord[]>;
  /** Undefined where there is no such image. */
  record(id: string): Promise<ImageRecord | undefined>;
  /** Ids of all images. */
  ids(): Promise<string[]>;
}

export interface MetadataWriter extends MetadataReader {
  setReferences(references: ReferenceRecord[]): Promise<void>;
  setRecord(record: ImageRecord): Promise<void>;
  deleteRecord(id: string): Promise<void>;
}

/** Which images there are and what they are called: small JSON files under <root>, changed under one lock by any number of processes. */
export class ImageMetadata implements MetadataReader {
  readonly #root: string;
  readonly #locks: Locks;

  constructor({ root, locks }: { root: string; locks: Locks }) {
    this.#root = root;
    this.#locks = locks;
  }

  async references(): Promise<ReferenceRecord[]> {
    const text = await readIfThere(this.#referencesPath);
    return text === undefined ? [] : parse<{ references: ReferenceRecord[] }>(text, this.#referencesPath).references;
  }

  async record(id: string): Promise<ImageRecord | undefined> {
    const path = this.#recordPath(id);
    const text = await readIfThere(path);
    return text === undefined ? undefined : parse<ImageRecord>(text, path);
  }

  async ids(): Promise<string[]> {
    await mkdir(join(this.#root, "records"), { recursive: true, mode: 0o700 });
    const names = await readdir(join(this.#root, "records"));
    return names.filter(name => /^[a-f0-9]{64}\.json$/.test(name)).map(name => `sha256:${name.slice(0, 64)}`);
  }

  /** Runs `work` with nobody else changing anything. Keep it short: every pull and removal on the host waits. */
  async change<T>(work: (writer: MetadataWriter) => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    await using _lock = await this.#locks.acquire(join(this.#root, "lock"), { signal, timeout_ms: lockTimeout_ms });
    return await work({
      references: () => this.references(),
      record: id => this.record(id),
      ids: () => this.ids(),
      setReferences: references =>
        writeAtomically(this.#referencesPath, `${JSON.stringify({ references }, null, 1)}\n`),
      setRecord: record => writeAtomically(this.#recordPath(record.id), `${JSON.stringify(record)}\n`),
      deleteRecord: id => rm(this.#recordPath(id), { force: true }),
    });
  }

  get #referencesPath(): string {
    return join(this.#root, "references.json");
  }

  #recordPath(id: string): string {
    return join(this.#root, "records", `${digestHex(id)}.json`);
  }
}

function parse<T>(text: string, path: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (thrown) {
    throw new BerthError("corrupt", `reading ${path}: it is not JSON`, {
      cause: thrown,
      hint: "the disk has lost what was written; delete the file and pull or load its images again",
    });
  }
}
