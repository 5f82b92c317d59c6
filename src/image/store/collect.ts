import type { CallOptions } from "../../ports/content.ts";
import type { ImageParts } from "../image-parts.ts";
import { manifestLimit_bytes, parseManifest } from "../manifest.ts";
import type { ImageRecord } from "./image-record.ts";
import type { MetadataReader } from "./metadata.ts";

/** How long content that nobody names is left alone: a pull or build may be about to name it. */
export const grace_ms = 60 * 60 * 1000;
/** Interrupted downloads can be resumed for this long. */
const ingestGrace_ms = 24 * 60 * 60 * 1000;

interface Used {
  digests: Set<string>;
  diffIds: string[][];
}

/**
 * Marks and sweeps blobs, layers and leftover ingests. Call within `metadata.change`, so that nothing is being recorded meanwhile.
 * Returns the bytes freed.
 */
export async function collectGarbage(
  parts: ImageParts,
  reader: MetadataReader,
  options: CallOptions = {},
): Promise<number> {
  const used = await findUsed(parts, reader, options);
  const oldest_ms = parts.clock.now_ms() - grace_ms;
  let freed_bytes = 0;
  for await (const { digest, size, modified_ms } of parts.content.list(options)) {
    if (used.digests.has(digest) || modified_ms > oldest_ms) continue;
    await parts.content.delete(digest, options);
    freed_bytes += size;
  }
  freed_bytes += await parts.layers.collect(used.diffIds, { ...options, grace_ms });
  return freed_bytes + (await parts.content.collectIngests(ingestGrace_ms, options));
}

/**
 * Frees at once what only the removed images needed. A blob touched after its image was recorded is in somebody's hands (a pull that found it here);
 * it stays for a later sweep. Call within `metadata.change`, after the records are gone.
 */
export async function collectRemoved(
  parts: ImageParts,
  reader: MetadataReader,
  removed: ImageRecord[],
  options: CallOptions = {},
): Promise<number> {
  const used = await findUsed(parts, reader, options);
  let freed_bytes = 0;
  for (const record of removed) {
    for (const digest of new Set([record.manifest.digest, record.id, ...record.layers.map(layer => layer.digest)])) {
      const info = used.digests.has(digest) ? undefined : await parts.content.info(digest);
      if (info === undefined || info.modified_ms > record.recorded_ms) continue;
      await parts.content.delete(digest, options);
      freed_bytes += info.size;
    }
  }
  const only = removed.map(record => record.config.rootfs.diff_ids);
  return freed_bytes + (await parts.layers.collect(used.diffIds, { ...options, only }));
}

/** Everything that images, their names and the other roots need. Throws rather than forgetting one: what is not marked gets deleted. */
async function findUsed(parts: ImageParts, reader: MetadataReader, options: CallOptions): Promise<Used> {
  const used: Used = { digests: new Set(), diffIds: [] };
  const manifests = new Set((await reader.references()).map(({ manifest }) => manifest.digest));
  for (const id of await reader.ids()) {
    const record = await reader.record(id);
    if (record === undefined) continue;
    for (const digest of [id, record.manifest.digest, ...record.layers.map(layer => layer.digest)])
      used.digests.add(digest);
    used.diffIds.push(record.config.rootfs.diff_ids);
    manifests.delete(record.manifest.digest);
  }
  for (const digest of manifests) {
    used.digests.add(digest);
    if ((await parts.content.info(digest)) === undefined) continue; // nothing of it can be kept any more
    const data = await parts.content.read(digest, { ...options, limit_bytes: manifestLimit_bytes });
    const parsed = parseManifest(data, `manifest ${digest}`);
    if (parsed.kind !== "image") continue;
    for (const { digest: part } of [parsed.manifest.config, ...parsed.manifest.layers]) used.digests.add(part);
  }
  for (const root of parts.roots) {
    const { digests, diffIds } = await root.used(options);
    for (const digest of digests) used.digests.add(digest);
    used.diffIds.push(...diffIds);
  }
  return used;
}
