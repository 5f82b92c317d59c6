import { BerthError } from "../../base/errors.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../model/image.ts";
import { isRecord, type StepRecord } from "./records.ts";

/** A cache as it travels: an OCI manifest whose configuration holds the step records and whose layers are those that they name. */
export const cacheConfigType = "application/vnd.berth.buildcache.config.v1+json";
/** Where an image's own configuration carries the records of its layers (`type=inline`). */
export const inlineKey = "berth.buildcache.v1";
export const cacheLimit_bytes = 64 << 20;

const version = 1;

export type StepRecordMap = ReadonlyMap<string, StepRecord>;

export function encodeRecords(records: StepRecordMap): Buffer {
  const sorted = [...records].sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify({ version, records: Object.fromEntries(sorted) }));
}

/** Records of another version are of no use: the keys are made in another way. Throws `corrupt` for what is no cache at all. */
export function decodeRecords(value: unknown, what: string): Map<string, StepRecord> {
  const found = value as { version?: unknown; records?: unknown } | null;
  if (typeof found !== "object" || found === null || typeof found.records !== "object" || found.records === null) {
    throw new BerthError("corrupt", `reading the build cache ${what}: it has no records`);
  }
  if (found.version !== version) return new Map();
  const entries = Object.entries(found.records).filter((entry): entry is [string, StepRecord] => {
    const [key, record] = entry;
    return /^[0-9a-f]{64}$/.test(key) && isRecord(record);
  });
  return new Map(entries);
}

export function layersOfRecords(records: StepRecordMap): Descriptor[] {
  const blobs = [...records.values()].flatMap(record => record.layer?.blob ?? []);
  return [...new Map(blobs.map(blob => [blob.digest, blob])).values()];
}

export function cacheManifest(config: Descriptor, layers: Descriptor[]): Buffer {
  const manifest: ImageManifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  return Buffer.from(JSON.stringify(manifest));
}
