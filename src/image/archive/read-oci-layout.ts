import { BerthError } from "../../base/errors.ts";
import type { Descriptor, ImageIndex, Platform } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";
import { digestHex } from "../digest.ts";
import { parseConfig, parseManifest, requireRunnable } from "../manifest.ts";
import { choosePlatform } from "../platform.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import type { FoundImage } from "./found-image.ts";
import { dockerArchiveNames, fullNames } from "./read-docker-archive.ts";

export const imageNameAnnotation = "io.containerd.image.name";
export const refNameAnnotation = "org.opencontainers.image.ref.name";
const nestingLimit = 4;

/** Reads an OCI image layout (image-spec, image-layout.md); names come from index annotations, and from manifest.json where Docker added one. */
export async function readOciLayout(
  files: ArchiveFiles,
  host: Platform,
  options: CallOptions = {},
): Promise<FoundImage[]> {
  const index = parseManifest(await files.read("index.json"), "index.json of the archive");
  if (index.kind !== "index") return [];
  const found = new Map<string, FoundImage>();
  for (const entry of index.index.manifests) {
    const image = await readEntry(files, entry, host, options);
    if (image === undefined) continue;
    const known = found.get(image.manifest.digest) ?? image;
    known.names = [...new Set([...known.names, ...annotatedNames(entry)])];
    found.set(image.manifest.digest, known);
  }
  const extra = files.has("manifest.json") ? await dockerArchiveNames(files) : new Map<string, string[]>();
  for (const image of found.values()) {
    image.names = [...new Set([...image.names, ...(extra.get(image.parsed.config.digest) ?? [])])];
  }
  return [...found.values()];
}

/** Undefined for attestations and other things that are stored beside images. */
async function readEntry(
  files: ArchiveFiles,
  entry: Descriptor,
  host: Platform,
  options: CallOptions,
  depth = 0,
): Promise<FoundImage | undefined> {
  if (entry.annotations?.["vnd.docker.reference.type"] !== undefined || entry.artifactType !== undefined)
    return undefined;
  const data = await files.read(blobName(entry.digest));
  const parsed = parseManifest(data, `manifest ${entry.digest}`, entry.mediaType);
  if (parsed.kind === "index") {
    if (depth >= nestingLimit) return undefined;
    const present = withBlobs(files, parsed.index);
    return readEntry(files, choosePlatform(present, host, `index ${entry.digest}`), host, options, depth + 1);
  }
  const { manifest } = parsed;
  requireRunnable(manifest, `manifest ${entry.digest}`);
  const config = parseConfig(
    await files.read(blobName(manifest.config.digest)),
    manifest.layers.length,
    manifest.config.digest,
  );
  for (const part of [manifest.config, ...manifest.layers]) await checkedBlob(files, part, options);
  const stored = await checkedBlob(files, entry, options);
  return { manifest: { mediaType: parsed.mediaType, ...stored }, parsed: manifest, config, names: [] };
}

/** An index saved for one platform lists the others too, without their blobs. */
function withBlobs(files: ArchiveFiles, index: ImageIndex): Descriptor[] {
  return index.manifests.filter(({ digest }) => files.has(blobName(digest)));
}

async function checkedBlob(files: ArchiveFiles, expected: Descriptor, options: CallOptions) {
  const blob = await files.blob(blobName(expected.digest), options);
  return requireDigest(blob, expected);
}

/** In a layout a blob's name is its digest: other content under it is a corrupt archive. */
function requireDigest(blob: { digest: string; size: number }, expected: Descriptor): { digest: string; size: number } {
  if (blob.digest === expected.digest && blob.size === expected.size) return blob;
  throw new BerthError(
    "corrupt",
    `reading the archive: ${blobName(expected.digest)} holds ${blob.size} bytes with ${blob.digest}, declared are ${expected.size} bytes`,
    { hint: "the archive is damaged; save it again" },
  );
}

/** containerd's annotation holds a full name; the specification's one a name, or a bare tag that names nothing by itself. */
function annotatedNames({ annotations }: Descriptor): string[] {
  const full = annotations?.[imageNameAnnotation];
  if (full !== undefined) return fullNames([full]);
  const name = annotations?.[refNameAnnotation];
  return name !== undefined && /[:/]/.test(name) ? fullNames([name]) : [];
}

function blobName(digest: string): string {
  return `blobs/sha256/${digestHex(digest)}`;
}
