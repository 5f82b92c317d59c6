import { BerthError } from "../../base/errors.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../model/image.ts";
import type { TransferOptions } from "../../ports/images.ts";
import { storeManifest } from "../archive/read-docker-archive.ts";
import type { ImageParts } from "../image-parts.ts";
import { gzip } from "../layer/gzip.ts";
import { manifestLimit_bytes, parseManifest } from "../manifest.ts";
import { familiarName, formatReference, parseReference, type Reference, repositoryName } from "../reference.ts";
import type { ReferenceRecord } from "../store/image-record.ts";
import { lookup, notFound } from "../store/lookup.ts";
import { withReferences } from "../store/record-image.ts";
import { Limiter } from "./limiter.ts";
import { mountCandidates } from "./mount-candidates.ts";
import { pushBlob } from "./push-blob.ts";
import type { RegistryClients } from "./registry-clients.ts";
import { pushScope } from "./registry-session.ts";
import { shortDigest, withRetry } from "./resolve.ts";

const uploadsAtOnce = 4;

interface Pushed {
  digest: string;
  size: number;
}

/** Uploads what the registry lacks of an image, then its manifest. `reference` has a tag. */
export async function pushImage(
  parts: ImageParts,
  clients: RegistryClients,
  reference: Reference,
  options: TransferOptions = {},
): Promise<Pushed> {
  const name = formatReference(reference);
  const match = await lookup(parts.metadata, name);
  if (match?.reference === undefined) throw await notFound(parts.metadata, name);
  const stored = await toPush(parts, match.reference, options);
  const session = await clients.registry(reference.domain, options.auth, options);
  options.onProgress?.({ id: "", status: `The push refers to repository [${repositoryName(reference)}]` });
  for (const layer of stored.parsed.layers) options.onProgress?.({ id: shortDigest(layer), status: "Preparing" });
  const candidates = await mountCandidates(parts, reference);
  const limiter = new Limiter(uploadsAtOnce);
  const controller = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, controller.signal]) : controller.signal;
  const context = { parts, clients, session, repository: reference.path };
  const unique = [
    ...new Map([...stored.parsed.layers, stored.parsed.config].map(blob => [blob.digest, blob])).values(),
  ];
  const uploads = unique.map(blob => {
    const onProgress = blob === stored.parsed.config ? undefined : options.onProgress;
    const sources = candidates.get(blob.digest) ?? [];
    return limiter.run(() => pushBlob(context, blob, sources, { ...options, signal, onProgress }));
  });
  for (const upload of uploads) upload.catch(thrown => controller.abort(thrown));
  await Promise.allSettled(uploads);
  if (signal.aborted) throw signal.reason;
  await putManifest(context, reference, stored.manifest, options);
  await recordPushed(parts, match.reference, stored.manifest, options);
  const { digest, size } = stored.manifest;
  options.onProgress?.({ id: "", status: `${reference.tag}: digest: ${digest} size: ${size}` });
  return { digest, size };
}

/** The manifest as stored; layers that lie here as plain tar (from a docker archive) are compressed first, and stay so. */
async function toPush(
  parts: ImageParts,
  reference: ReferenceRecord,
  options: TransferOptions,
): Promise<{ manifest: Descriptor; parsed: ImageManifest }> {
  const { manifest } = reference;
  const data = await parts.content.read(manifest.digest, { signal: options.signal, limit_bytes: manifestLimit_bytes });
  const parsed = parseManifest(data, `manifest ${manifest.digest}`, manifest.mediaType);
  if (parsed.kind !== "image") {
    throw new BerthError(
      "unsupported",
      `pushing ${familiarName(reference.reference)}: it is an index of several images`,
    );
  }
  if (!parsed.manifest.layers.some(isPlain)) return { manifest, parsed: parsed.manifest };
  const limiter = new Limiter(2);
  const layers = await Promise.all(
    parsed.manifest.layers.map(layer =>
      isPlain(layer) ? limiter.run(() => compressLayer(parts, layer, options)) : layer,
    ),
  );
  await parts.content.flush(options);
  return storeManifest(parts.content, parsed.manifest.config, layers, {
    ...options,
    annotations: parsed.manifest.annotations,
  });
}

const isPlain = ({ mediaType }: Descriptor) => mediaType.endsWith(".tar");

async function compressLayer(
  parts: ImageParts,
  layer: Descriptor,
  { signal, onProgress }: TransferOptions,
): Promise<Descriptor> {
  onProgress?.({ id: shortDigest(layer), status: "Compressing" });
  await using ingest = await parts.content.ingest("", { signal });
  await ingest.append(gzip(await parts.content.open(layer.digest, { signal })), { signal });
  const { digest, size } = await ingest.commit({ digest: await ingest.digest(), deferSync: true }, { signal });
  return { mediaType: mediaTypes.ociLayerGzip, digest, size };
}

type PushContext = Parameters<typeof pushBlob>[0];

/** end-7. */
async function putManifest(
  { parts, clients, session, repository }: PushContext,
  reference: Reference,
  manifest: Descriptor,
  options: TransferOptions,
): Promise<void> {
  const body = await parts.content.read(manifest.digest, { signal: options.signal, limit_bytes: manifestLimit_bytes });
  const name = reference.tag ?? manifest.digest;
  await withRetry(clients, options, async () => {
    const response = await session.request({
      method: "PUT",
      path: `/v2/${repository}/manifests/${name}`,
      headers: { "content-type": manifest.mediaType },
      body,
      scopes: [pushScope(repository)],
      signal: options.signal,
    });
    await session.expect(response, [200, 201], `pushing the manifest of ${familiarName(reference)}`);
    response.body.resume();
  });
}

/** What lies in the registry now is known here by that digest too. */
async function recordPushed(
  parts: ImageParts,
  source: ReferenceRecord,
  manifest: Descriptor,
  options: TransferOptions,
): Promise<void> {
  await parts.metadata.change(async writer => {
    const references = await writer.references();
    const current = references.find(item => item.reference === source.reference);
    if (current?.imageId !== source.imageId) return; // renamed or removed in the meantime: that counts
    const line = { imageId: source.imageId, manifest, tagged_ms: current.tagged_ms };
    const byDigest = `${repositoryName(parseReference(source.reference))}@${manifest.digest}`;
    const added = [
      { ...line, reference: source.reference },
      { ...line, reference: byDigest },
    ];
    await writer.setReferences(withReferences(references, added));
    const record = await writer.record(source.imageId);
    if (record === undefined || record.manifest.digest === manifest.digest) return;
    if (record.manifest.digest !== source.manifest.digest) return;
    const data = await parts.content.read(manifest.digest, { limit_bytes: manifestLimit_bytes });
    const parsed = parseManifest(data, `manifest ${manifest.digest}`);
    if (parsed.kind !== "image") return;
    await writer.setRecord({ ...record, manifest, layers: parsed.manifest.layers, recorded_ms: parts.clock.now_ms() });
  }, options);
}
