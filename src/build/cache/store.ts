import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CacheRecordInfo } from "../../ports/build.ts";
import type { CallOptions, ContentRoots } from "../../ports/content.ts";
import { listCacheMounts } from "../execute/cache-mounts.ts";
import type { BuilderParts } from "../execute/parts.ts";
import type { StepRecords } from "./records.ts";

/** What the cache holds on this host, for people and for garbage collection. */
export class CacheStore implements ContentRoots {
  readonly #parts: BuilderParts;
  readonly #records: StepRecords;

  constructor(parts: BuilderParts, records: StepRecords) {
    this.#parts = parts;
    this.#records = records;
  }

  async used(): Promise<{ digests: Iterable<string>; diffIds: string[][] }> {
    const layers = this.#records.list().flatMap(({ record }) => record.layer ?? []);
    // Unpacked layers are made again from their blobs when a step needs them.
    return { digests: new Set(layers.map(layer => layer.blob.digest)), diffIds: [] };
  }

  async usage({ signal }: CallOptions = {}): Promise<CacheRecordInfo[]> {
    const steps = this.#records.list().flatMap(({ key, record, createdAt_ms, lastUsedAt_ms }): CacheRecordInfo[] => {
      if (!record.layer) return [];
      return [
        {
          id: key,
          description: record.description,
          createdAt_ms,
          lastUsedAt_ms,
          size_bytes: record.layer.blob.size,
          kind: "layer",
          inUse: false,
        },
      ];
    });
    const mounts: CacheRecordInfo[] = [];
    for (const mount of listCacheMounts(this.#parts.root, this.#parts.locks)) {
      signal?.throwIfAborted();
      const { name, id, inUse, lastUsedAt_ms } = mount;
      const size_bytes = sizeOf(mount.path);
      mounts.push({
        id: name,
        description: `cache mount ${id}`,
        createdAt_ms: lastUsedAt_ms,
        lastUsedAt_ms,
        size_bytes,
        kind: "mount",
        inUse,
      });
    }
    return [...steps, ...mounts].sort((a, b) => a.lastUsedAt_ms - b.lastUsedAt_ms);
  }

  /** Takes records out, then the blobs that no image and no other record needs. */
  async prune({
    unusedSince_ms,
    keep_bytes = 0,
    signal,
  }: CallOptions & { unusedSince_ms?: number; keep_bytes?: number }) {
    const all = await this.usage({ signal });
    let left_bytes = all.reduce((sum, record) => sum + record.size_bytes, 0);
    const removed: string[] = [];
    let reclaimed_bytes = 0;
    const digests = new Map(this.#records.list().map(({ key, record }) => [key, record.layer?.blob.digest]));
    for (const record of all) {
      if (left_bytes <= keep_bytes && keep_bytes > 0) break;
      if (record.inUse || (unusedSince_ms !== undefined && record.lastUsedAt_ms >= unusedSince_ms)) continue;
      left_bytes -= record.size_bytes;
      removed.push(record.id);
      if (record.kind === "mount") {
        rmSync(join(this.#parts.root, "mounts", record.id), { recursive: true, force: true });
        reclaimed_bytes += record.size_bytes;
      } else this.#records.remove(record.id);
    }
    if (unusedSince_ms === undefined && keep_bytes === 0) this.#removeBare();
    reclaimed_bytes += await this.#dropBlobs(new Set(removed.flatMap(id => digests.get(id) ?? [])), signal);
    return { removed, reclaimed_bytes };
  }

  /** Records without a layer: times of images, directories that were there. */
  #removeBare() {
    for (const { key, record } of this.#records.list()) if (!record.layer) this.#records.remove(key);
  }

  async #dropBlobs(candidates: Set<string>, signal: AbortSignal | undefined): Promise<number> {
    const { images } = this.#parts;
    const { digests } = await this.used();
    const needed = new Set([
      ...digests,
      ...(await images.list({ signal })).flatMap(image => image.layers.map(layer => layer.digest)),
    ]);
    let freed_bytes = 0;
    for (const digest of candidates) {
      if (needed.has(digest)) continue;
      const info = await images.content.info(digest, { signal });
      if (!info) continue;
      await images.content.delete(digest, { signal });
      freed_bytes += info.size;
    }
    return freed_bytes;
  }
}

function sizeOf(path: string): number {
  let total = 0;
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) total += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return total;
}
