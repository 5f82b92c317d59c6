import { BerthError } from "../../base/errors.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../../model/image.ts";
import type { CallOptions, ContentStore } from "../../ports/content.ts";
import { layerMediaType } from "../compression.ts";
import { parseConfig, parseObject } from "../manifest.ts";
import { formatReference, parseReference, withDefaultTag } from "../reference.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import type { FoundImage } from "./found-image.ts";

interface ManifestItem {
  Config: string;
  RepoTags: string[] | null;
  Layers: string[];
}

/** Reads `manifest.json` as `docker save` writes it since 1.10. */
export async function readDockerArchive(
  files: ArchiveFiles,
  content: ContentStore,
  options: CallOptions = {},
): Promise<FoundImage[]> {
  const found: FoundImage[] = [];
  for (const item of await manifestItems(files)) {
    const layers = await layerBlobs(files, content, item.Layers, options);
    const config = parseConfig(await files.read(item.Config), layers.length, item.Config);
    const blob = await files.blob(item.Config, options);
    found.push({
      ...(await storeManifest(content, { ...blob, mediaType: mediaTypes.ociConfig }, layers, options)),
      config,
      names: fullNames(item.RepoTags ?? []),
    });
  }
  return found;
}

/** Names by image id, for archives that also hold an OCI index. */
export async function dockerArchiveNames(files: ArchiveFiles): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>();
  for (const item of await manifestItems(files)) {
    if (!files.has(item.Config)) continue;
    const { digest } = await files.blob(item.Config);
    names.set(digest, [...(names.get(digest) ?? []), ...fullNames(item.RepoTags ?? [])]);
  }
  return names;
}

async function manifestItems(files: ArchiveFiles): Promise<ManifestItem[]> {
  const wrapped = Buffer.concat([Buffer.from('{"items":'), await files.read("manifest.json"), Buffer.from("}")]);
  const items = parseObject(wrapped, "manifest.json of the archive")["items"];
  const isItem = (item: unknown): item is ManifestItem => {
    const { Config, RepoTags, Layers } = (item ?? {}) as Partial<Record<string, unknown>>;
    return typeof Config === "string" && isNameList(RepoTags ?? []) && isNameList(Layers);
  };
  if (!Array.isArray(items) || !items.every(isItem)) {
    throw new BerthError(
      "corrupt",
      "reading manifest.json of the archive: it is no list of {Config, RepoTags, Layers}",
    );
  }
  return items;
}

function isNameList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(name => typeof name === "string");
}

export function fullNames(names: string[]): string[] {
  return names.map(name => formatReference(withDefaultTag(parseReference(name))));
}

export async function layerBlobs(
  files: ArchiveFiles,
  content: ContentStore,
  names: string[],
  options: CallOptions,
): Promise<Descriptor[]> {
  const layers: Descriptor[] = [];
  for (const name of names) {
    const blob = await files.blob(name, options);
    layers.push({ mediaType: await layerMediaType(content, blob.digest), ...blob });
  }
  return layers;
}

/** Writes an OCI manifest for a configuration and layers that are in the store. */
export async function storeManifest(
  content: ContentStore,
  config: Descriptor,
  layers: Descriptor[],
  options: CallOptions & { annotations?: Record<string, string> } = {},
): Promise<{ manifest: Descriptor; parsed: ImageManifest }> {
  const parsed: ImageManifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  if (options.annotations !== undefined) parsed.annotations = options.annotations;
  const { digest, size } = await content.put(Buffer.from(JSON.stringify(parsed)), options);
  return { manifest: { mediaType: mediaTypes.ociManifest, digest, size }, parsed };
}
