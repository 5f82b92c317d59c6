import type { Readable } from "node:stream";
import { BerthError } from "../base/errors.ts";
import { type Descriptor, type Image, type ImageConfig, mediaTypes, type Platform } from "../model/image.ts";
import type { CallOptions } from "../ports/content.ts";
import type { ImageSource } from "../ports/image-source.ts";
import type { ProgressSink } from "../ports/images.ts";
import { storeManifest } from "./archive/read-docker-archive.ts";
import type { ImageParts } from "./image-parts.ts";
import { familiarName, formatReference, parseReference, withDefaultTag } from "./reference.ts";
import { recordImage } from "./store/record-image.ts";

export interface ImportOptions extends CallOptions {
  reference?: string;
  config?: ImageConfig["config"];
  message?: string;
  platform?: Platform;
}

/** An image of one layer, from the tar of a root file system. */
export async function importImage(
  parts: ImageParts,
  archive: Readable,
  host: Platform,
  options: ImportOptions,
): Promise<Image> {
  const names = options.reference === undefined ? [] : [taggedName(options.reference)];
  const created = new Date(parts.clock.now_ms()).toISOString();
  const layer = await parts.layers.ingest(archive, { signal: options.signal, compression: "gzip" });
  const config: ImageConfig = {
    created,
    ...(options.platform ?? host),
    config: options.config ?? {},
    rootfs: { type: "layers", diff_ids: [layer.diffId] },
    history: [{ created, comment: options.message || "Imported from -" }],
  };
  return recordSingleLayer(parts, config, layer.blob, names, options);
}

/** Makes a base image from the host's own packages. Throws `not_found` where no source offers it. */
export async function bootstrapImage(
  parts: ImageParts,
  sources: ImageSource[],
  reference: string,
  options: CallOptions & { onProgress?: ProgressSink } = {},
): Promise<Image> {
  const name = taggedName(reference);
  const source = sources.find(candidate => candidate.matches(name));
  if (source === undefined) {
    throw new BerthError("not_found", `bootstrapping ${familiarName(name)}: no image source makes it`, {
      hint: `what can be made here: ${sources.map(candidate => candidate.offers).join(", ") || "nothing"}`,
    });
  }
  await using produced = await source.produce(name, options);
  const layer = await parts.layers.ingest(produced.tar, { signal: options.signal, compression: "gzip" });
  const config: ImageConfig = {
    created: produced.created,
    ...produced.platform,
    config: produced.config,
    rootfs: { type: "layers", diff_ids: [layer.diffId] },
    history: [{ created: produced.created, created_by: produced.createdBy }],
  };
  return recordSingleLayer(parts, config, layer.blob, [name], options);
}

async function recordSingleLayer(
  parts: ImageParts,
  config: ImageConfig,
  layer: Descriptor,
  names: string[],
  options: CallOptions,
): Promise<Image> {
  const { digest, size } = await parts.content.put(Buffer.from(JSON.stringify(config)), options);
  const descriptor = { mediaType: mediaTypes.ociConfig, digest, size };
  const stored = await storeManifest(parts.content, descriptor, [layer], options);
  return recordImage(parts, { ...stored, config }, names, { signal: options.signal });
}

function taggedName(reference: string): string {
  const parsed = withDefaultTag(parseReference(reference));
  if (parsed.digest === undefined) return formatReference(parsed);
  throw new BerthError("invalid", `${reference} names a digest, which comes out only when the image is made`, {
    hint: "leave the part from @ on away",
  });
}
