import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Descriptor } from "../../model/image.ts";

/** A layer as a step made it. */
export interface StepLayer {
  diffId: string;
  blob: Descriptor;
}

/** What a finished step left: a layer, or nothing. */
export interface StepRecord {
  layer?: StepLayer;
  /** RFC 3339; part of the image's history, so that a fully cached build gives the same image again. */
  createdAt: string;
  /** The instruction, for people. */
  description: string;
}

const refresh_ms = 3600_000;

/** Records of finished steps: one small file each, replaced whole, so that any number of processes may build at once. */
export class StepRecords {
  readonly #root: string;
  readonly #now_ms: () => number;
  #written = 0;

  constructor(root: string, now_ms: () => number) {
    this.#root = root;
    this.#now_ms = now_ms;
  }

  #path(key: string): string {
    return join(this.#root, key.slice(0, 2), `${key}.json`);
  }

  /** A record that cannot be read is none: the step runs again. The file's time says when it was last of use. */
  read(key: string): StepRecord | undefined {
    const path = this.#path(key);
    const record = readRecord(path);
    if (!record) return undefined;
    const now_ms = this.#now_ms();
    try {
      if (now_ms - statSync(path).mtimeMs > refresh_ms) utimesSync(path, now_ms / 1000, now_ms / 1000);
    } catch {
      // Somebody pruned it in this moment; what we have read is still right.
    }
    return record;
  }

  write(key: string, record: StepRecord): void {
    const path = this.#path(key);
    mkdirSync(join(this.#root, key.slice(0, 2)), { recursive: true });
    const temporary = `${path}.${process.pid}.${this.#written++}.tmp`;
    writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
    renameSync(temporary, path);
  }

  remove(key: string): void {
    rmSync(this.#path(key), { force: true });
  }

  list(): { key: string; record: StepRecord; createdAt_ms: number; lastUsedAt_ms: number }[] {
    const found = [];
    for (const folder of namesIn(this.#root)) {
      for (const name of namesIn(join(this.#root, folder))) {
        if (!name.endsWith(".json")) continue;
        const path = join(this.#root, folder, name);
        const record = readRecord(path);
        const stat = statSync(path, { throwIfNoEntry: false });
        if (!record || !stat) continue;
        found.push({
          key: name.slice(0, -5),
          record,
          createdAt_ms: Date.parse(record.createdAt),
          lastUsedAt_ms: stat.mtimeMs,
        });
      }
    }
    return found;
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw thrown;
  }
}

function readRecord(path: string): StepRecord | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is StepRecord {
  if (typeof value !== "object" || value === null) return false;
  const { layer, createdAt, description } = value as Partial<StepRecord>;
  if (typeof createdAt !== "string" || typeof description !== "string") return false;
  return (
    layer === undefined ||
    (/^sha256:[0-9a-f]{64}$/.test(layer.diffId) && /^sha256:[0-9a-f]{64}$/.test(layer.blob?.digest))
  );
}
