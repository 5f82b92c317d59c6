import { BerthError, isCode } from "../../base/errors.ts";
import { fetchBlob } from "../../image/distribution/fetch-blob.ts";
import { pushBlob } from "../../image/distribution/push-blob.ts";
import type { RegistryClients } from "../../image/distribution/registry-clients.ts";
import { pushScope } from "../../image/distribution/registry-session.ts";
import { resolve, withRetry } from "../../image/distribution/resolve.ts";
import { discard } from "../../image/distribution/transport.ts";
import { parseReference, withDefaultTag } from "../../image/reference.ts";
import { type Descriptor, mediaTypes } from "../../model/image.ts";
import type { ContentStore } from "../../ports/content.ts";
import type { ProgressSink, RegistryAuth } from "../../ports/images.ts";
import type { ImportedCache } from "../execute/parts.ts";
import {
  cacheConfigType,
  cacheLimit_bytes,
  cacheManifest,
  decodeRecords,
  encodeRecords,
  inlineKey,
  layersOfRecords,
  type StepRecordMap,
} from "./cache-file.ts";

export interface RegistryContext {
  clients: RegistryClients;
  content: ContentStore;
  signal: AbortSignal;
  auth?: (registry: string) => RegistryAuth | undefined;
  onProgress?: ProgressSink;
}

/** Uploads records and their layers under a name of their own; layers that the registry has are not sent again. */
export async function exportToRegistry(text: string, records: StepRecordMap, context: RegistryContext): Promise<void> {
  const { clients, content, signal, auth, onProgress } = context;
  const reference = withDefaultTag(parseReference(text));
  const session = await clients.registry(reference.domain, auth?.(reference.domain), { signal });
  const { digest, size } = await content.put(encodeRecords(records), { signal });
  const config: Descriptor = { mediaType: cacheConfigType, digest, size };
  const layers = layersOfRecords(records);
  const target = { parts: { content }, clients, session, repository: reference.path };
  for (const blob of [...layers, config]) await pushBlob(target, blob, [], { signal, onProgress });
  const body = cacheManifest(config, layers);
  await withRetry(clients, { signal }, async () => {
    const response = await session.request({
      method: "PUT",
      path: `/v2/${reference.path}/manifests/${reference.tag}`,
      headers: { "content-type": mediaTypes.ociManifest },
      body,
      scopes: [pushScope(reference.path)],
      signal,
    });
    await session.expect(response, [200, 201], `exporting the build cache to ${text}`);
    discard(response);
  });
}

/** A cache of its own, or the records inside an image. Undefined where the registry has neither. */
export async function importFromRegistry(text: string, context: RegistryContext): Promise<ImportedCache | undefined> {
  const { clients, content, signal, auth } = context;
  const reference = withDefaultTag(parseReference(text));
  const resolved = await resolve(clients, reference, { signal, auth: auth?.(reference.domain) }).catch(thrown => {
    if (isCode(thrown, "not_found")) return undefined;
    throw thrown;
  });
  if (resolved?.top.parsed.kind !== "image") return undefined;
  const { config } = resolved.top.parsed.manifest;
  if (config.size > cacheLimit_bytes)
    throw new BerthError("exhausted", `the build cache ${text} has ${config.size} bytes of records`);
  const fetch = (blob: Descriptor) =>
    fetchBlob(
      { content, clock: clients.clock, random: clients.random, signal },
      resolved.sessions,
      reference.path,
      blob,
    );
  await fetch(config);
  const value: unknown = JSON.parse(
    (await content.read(config.digest, { signal, limit_bytes: cacheLimit_bytes })).toString(),
  );
  const inside = config.mediaType === cacheConfigType ? value : (value as Record<string, unknown>)[inlineKey];
  if (inside === undefined) return undefined;
  const records = decodeRecords(inside, text);
  return {
    async take(key) {
      const record = records.get(key);
      if (record?.layer && !(await content.touch(record.layer.blob.digest, { signal }))) await fetch(record.layer.blob);
      return record;
    },
  };
}
