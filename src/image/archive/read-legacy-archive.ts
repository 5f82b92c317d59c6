import { createHash } from "node:crypto";
import { BerthError } from "../../base/errors.ts";
import { type ImageConfig, type ImageRunConfig, mediaTypes } from "../../model/image.ts";
import type { CallOptions, ContentStore } from "../../ports/content.ts";
import { decompress } from "../layer/decompress.ts";
import { parseObject } from "../manifest.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import type { FoundImage } from "./found-image.ts";
import { fullNames, layerBlobs, storeManifest } from "./read-docker-archive.ts";

const ancestorLimit = 500;

/** <id>/json of the image format before Docker 1.10 ("v1"): an image is a chain of parents with a layer each. */
interface LegacyImage {
  parent?: string;
  created?: string;
  author?: string;
  os?: string;
  architecture?: string;
  config?: ImageRunConfig;
  container_config?: { Cmd?: string[] | null };
}

/** Reads archives that have `repositories` ({"name": {"tag": "<id>"}}) and no manifest.json. */
export async function readLegacyArchive(
  files: ArchiveFiles,
  content: ContentStore,
  options: CallOptions = {},
): Promise<FoundImage[]> {
  const repositories = parseObject(await files.read("repositories"), "repositories of the archive");
  const names = new Map<string, string[]>();
  for (const [repository, tags] of Object.entries(repositories)) {
    for (const [tag, id] of Object.entries((tags ?? {}) as Record<string, unknown>)) {
      if (typeof id !== "string")
        throw new BerthError("corrupt", "reading repositories of the archive: an id is no string");
      names.set(id, [...(names.get(id) ?? []), `${repository}:${tag}`]);
    }
  }
  const found: FoundImage[] = [];
  for (const [id, tagged] of names) {
    const chain = await ancestry(files, id);
    const layers = await layerBlobs(
      files,
      content,
      chain.map(item => `${item.id}/layer.tar`),
      options,
    );
    const diffIds: string[] = [];
    for (const layer of layers) diffIds.push(await plainDigest(content, layer.digest, options));
    const config = legacyConfig(
      chain.map(item => item.image),
      diffIds,
    );
    const blob = await content.put(Buffer.from(JSON.stringify(config)), options);
    const descriptor = { mediaType: mediaTypes.ociConfig, digest: blob.digest, size: blob.size };
    found.push({ ...(await storeManifest(content, descriptor, layers, options)), config, names: fullNames(tagged) });
  }
  return found;
}

/** Lowest first. */
async function ancestry(files: ArchiveFiles, top: string): Promise<{ id: string; image: LegacyImage }[]> {
  const chain: { id: string; image: LegacyImage }[] = [];
  for (let id: string | undefined = top; id !== undefined; ) {
    if (chain.length >= ancestorLimit)
      throw new BerthError("corrupt", `reading the archive: image ${top} has no end of parents`);
    const image: LegacyImage = parseObject(await files.read(`${id}/json`), `${id}/json of the archive`);
    chain.unshift({ id, image });
    id = image.parent || undefined;
  }
  return chain;
}

function legacyConfig(chain: LegacyImage[], diffIds: string[]): ImageConfig {
  const top = chain.at(-1)!;
  return {
    created: top.created,
    author: top.author,
    os: top.os ?? "linux",
    architecture: top.architecture ?? "amd64",
    config: top.config ?? {},
    rootfs: { type: "layers", diff_ids: diffIds },
    history: chain.map(image => ({
      created: image.created,
      author: image.author,
      created_by: image.container_config?.Cmd?.join(" "),
    })),
  };
}

async function plainDigest(content: ContentStore, digest: string, options: CallOptions): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of decompress((await content.open(digest, options)) as AsyncIterable<Buffer>))
    hash.update(part);
  return `sha256:${hash.digest("hex")}`;
}
