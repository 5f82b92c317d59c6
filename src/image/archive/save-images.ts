import { Readable } from "node:stream";
import { type Descriptor, type ImageIndex, type ImageManifest, mediaTypes } from "../../model/image.ts";
import type { CallOptions, ContentStore } from "../../ports/content.ts";
import { digestHex } from "../digest.ts";
import type { ImageParts } from "../image-parts.ts";
import { decompress } from "../layer/decompress.ts";
import { manifestLimit_bytes, parseManifest } from "../manifest.ts";
import { familiarName, parseReference, repositoryName } from "../reference.ts";
import { isDigestReference } from "../store/image-record.ts";
import { lookup, type Match, notFound } from "../store/lookup.ts";
import { storeManifest } from "./read-docker-archive.ts";
import { imageNameAnnotation, refNameAnnotation } from "./read-oci-layout.ts";
import { tarEnd, tarFileHeader, tarPadding } from "./tar-file.ts";

export type ArchiveFormat = "docker-archive" | "oci-archive";

export interface SavedImage {
  manifest: Descriptor;
  parsed: ImageManifest;
  /** Full names with tag. */
  names: string[];
}

/**
 * A tar with blobs/sha256/… , index.json and oci-layout; docker-archive adds manifest.json and repositories over the same blobs, so that either
 * kind of reader finds what it knows. The same images give the same bytes.
 */
export async function saveImages(
  parts: ImageParts,
  references: string[],
  format: ArchiveFormat,
  options: CallOptions = {},
): Promise<Readable> {
  const images = new Map<string, SavedImage>();
  for (const text of references) {
    const saved = await toSave(parts, text, format, options);
    const known = images.get(saved.manifest.digest);
    if (known === undefined) images.set(saved.manifest.digest, saved);
    else known.names = [...new Set([...known.names, ...saved.names])];
  }
  return Readable.from(archiveParts(parts.content, [...images.values()], format, options), { objectMode: false });
}

async function toSave(
  parts: ImageParts,
  text: string,
  format: ArchiveFormat,
  options: CallOptions,
): Promise<SavedImage> {
  const match = (await lookup(parts.metadata, text)) ?? (await anyTag(parts, text));
  if (match === undefined) throw await notFound(parts.metadata, text);
  const manifest = match.reference?.manifest ?? match.record.manifest;
  const data = await parts.content.read(manifest.digest, { ...options, limit_bytes: manifestLimit_bytes });
  const parsed = parseManifest(data, `manifest ${manifest.digest}`, manifest.mediaType);
  if (parsed.kind !== "image") throw await notFound(parts.metadata, text);
  const saved = { manifest, parsed: parsed.manifest, names: namesToSave(match, text) };
  return format === "docker-archive" ? withoutZstd(parts.content, saved, options) : saved;
}

/** "redis" where only redis:7 is here: Docker saves the whole repository. */
async function anyTag(parts: ImageParts, text: string): Promise<Match | undefined> {
  const repository = repositoryOfBareName(text);
  if (repository === undefined) return undefined;
  const references = await parts.metadata.references();
  const first = references.find(({ reference }) => reference.startsWith(`${repository}:`));
  return first && lookup(parts.metadata, first.reference);
}

function namesToSave({ reference, references, record }: Match, text: string): string[] {
  if (reference === undefined) return [];
  const repository = repositoryOfBareName(text);
  if (repository === undefined) return isDigestReference(reference.reference) ? [] : [reference.reference];
  const tags = references.filter(item => item.imageId === record.id && item.reference.startsWith(`${repository}:`));
  return tags.map(item => item.reference).sort();
}

function repositoryOfBareName(text: string): string | undefined {
  if (/^(sha256:)?[a-f0-9]{64}$/.test(text)) return undefined;
  const parsed = parseReference(text);
  return parsed.tag === undefined && parsed.digest === undefined ? repositoryName(parsed) : undefined;
}

/** docker load reads zstd layers only since 23.0: such layers go in plain. */
async function withoutZstd(content: ContentStore, saved: SavedImage, options: CallOptions): Promise<SavedImage> {
  if (!saved.parsed.layers.some(layer => layer.mediaType.endsWith("+zstd"))) return saved;
  const layers: Descriptor[] = [];
  for (const layer of saved.parsed.layers) {
    if (!layer.mediaType.endsWith("+zstd")) {
      layers.push(layer);
      continue;
    }
    await using ingest = await content.ingest("", options);
    await ingest.append(decompress(await content.open(layer.digest, options)), options);
    const { digest, size } = await ingest.commit({ digest: await ingest.digest() }, options);
    layers.push({ mediaType: mediaTypes.ociLayer, digest, size });
  }
  return { ...(await storeManifest(content, saved.parsed.config, layers, options)), names: saved.names };
}

/** The pieces of the tar that `saveImages` gives. */
export async function* archiveParts(
  content: ContentStore,
  images: SavedImage[],
  format: ArchiveFormat,
  options: CallOptions,
): AsyncGenerator<Buffer> {
  const blobs = new Map<string, number>();
  for (const { manifest, parsed } of images) {
    for (const { digest, size } of [...parsed.layers, parsed.config, manifest]) blobs.set(digest, size);
  }
  for (const [digest, size] of blobs) {
    yield tarFileHeader(blobName(digest), size);
    yield* (await content.open(digest, options)) as AsyncIterable<Buffer>;
    yield tarPadding(size);
  }
  yield tarFile("index.json", indexOf(images));
  yield tarFile("oci-layout", { imageLayoutVersion: "1.0.0" });
  if (format === "docker-archive") {
    yield tarFile("manifest.json", dockerItems(images));
  }
  yield tarEnd;
}

function dockerItems(images: SavedImage[]) {
  return images.map(({ parsed, names }) => ({
    Config: blobName(parsed.config.digest),
    RepoTags: names.length > 0 ? names.map(familiarName) : null,
    Layers: parsed.layers.map(layer => blobName(layer.digest)),
  }));
}

function tarFile(name: string, value: unknown): Buffer {
  const data = Buffer.from(JSON.stringify(value));
  return Buffer.concat([tarFileHeader(name, data.length), data, tarPadding(data.length)]);
}

function indexOf(images: SavedImage[]): ImageIndex {
  const manifests = images.flatMap(({ manifest, names }): Descriptor[] => {
    const { mediaType, digest, size } = manifest;
    if (names.length === 0) return [{ mediaType, digest, size }];
    return names.map(name => ({
      mediaType,
      digest,
      size,
      annotations: { [imageNameAnnotation]: name, [refNameAnnotation]: parseReference(name).tag ?? "" },
    }));
  });
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

function blobName(digest: string): string {
  return `blobs/sha256/${digestHex(digest)}`;
}
