import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { BerthError } from "../../base/errors.ts";
import { digestHex, digestOf } from "../../image/digest.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../model/image.ts";
import type { ContentStore } from "../../ports/content.ts";
import type { ImportedCache } from "../execute/parts.ts";
import {
  cacheConfigType,
  cacheManifest,
  decodeRecords,
  encodeRecords,
  layersOfRecords,
  type StepRecordMap,
} from "./cache-file.ts";

/** A cache in a directory, as an OCI image layout (image-layout.md): what CI systems keep between runs. */
function blobPath(root: string, digest: string): string {
  return join(root, "blobs", "sha256", digestHex(digest));
}

function writeWhole(path: string, data: Buffer | string) {
  writeFileSync(`${path}.tmp`, data);
  renameSync(`${path}.tmp`, path);
}

export async function exportToDirectory(
  root: string,
  records: StepRecordMap,
  content: ContentStore,
  signal: AbortSignal,
): Promise<void> {
  mkdirSync(join(root, "blobs", "sha256"), { recursive: true });
  const layers = layersOfRecords(records);
  for (const { digest } of layers) {
    const path = blobPath(root, digest);
    if (existsSync(path)) continue;
    await pipeline(await content.open(digest, { signal }), createWriteStream(`${path}.tmp`), { signal });
    renameSync(`${path}.tmp`, path);
  }
  const data = encodeRecords(records);
  const config: Descriptor = { mediaType: cacheConfigType, digest: digestOf(data), size: data.length };
  const manifest = cacheManifest(config, layers);
  writeWhole(blobPath(root, config.digest), data);
  writeWhole(blobPath(root, digestOf(manifest)), manifest);
  const entry: Descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(manifest), size: manifest.length };
  writeWhole(join(root, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  writeWhole(
    join(root, "index.json"),
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] }),
  );
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Undefined where there is none yet. */
export function importFromDirectory(root: string, content: ContentStore): ImportedCache | undefined {
  if (!existsSync(join(root, "index.json"))) return undefined;
  try {
    const index = readJson(join(root, "index.json")) as { manifests?: Descriptor[] };
    const manifest = readJson(blobPath(root, index.manifests?.[0]?.digest ?? "")) as ImageManifest;
    const records = decodeRecords(readJson(blobPath(root, manifest.config.digest)), root);
    return {
      async take(key, signal) {
        const record = records.get(key);
        const blob = record?.layer?.blob;
        if (!blob || (await content.touch(blob.digest, { signal }))) return record;
        const path = blobPath(root, blob.digest);
        if (statSync(path, { throwIfNoEntry: false })?.size !== blob.size) return undefined;
        await using ingest = await content.ingest(`blob ${blob.digest}`, { signal });
        await ingest.append(createReadStream(path), { signal });
        await ingest.commit({ digest: blob.digest, size: blob.size, deferSync: true }, { signal });
        return record;
      },
    };
  } catch (thrown) {
    if (thrown instanceof BerthError) throw thrown;
    throw new BerthError(
      "corrupt",
      `reading the build cache in ${root}: ${thrown instanceof Error ? thrown.message : thrown}`,
      { cause: thrown },
    );
  }
}
