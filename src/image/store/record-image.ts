import { assert, BerthError, isCode } from "../../base/errors.ts";
import type { Image } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { ProgressSink } from "../../ports/images.ts";
import type { ImageParts } from "../image-parts.ts";
import { type NewImage, type ReferenceRecord, toImage } from "./image-record.ts";

/**
 * Makes an image known under `names` (full references). Its blobs are in the content store; its layers are unpacked here where they are not yet.
 * That all of it is still there is checked under the lock that collection runs under: throws a retryable `not_found` where a removal elsewhere was faster.
 */
export async function recordImage(
  parts: ImageParts,
  image: NewImage,
  names: string[],
  options: CallOptions & { onProgress?: ProgressSink } = {},
): Promise<Image> {
  const { parsed, config } = image;
  const diffIds = config.rootfs.diff_ids;
  assert(diffIds.length === parsed.layers.length, "a diff id for each layer");
  await parts.layers.unpack(
    parsed.layers.map((blob, index) => ({ blob, diffId: diffIds[index]! })),
    options,
  );
  await parts.content.flush(options);
  return parts.metadata.change(async writer => {
    await requirePresent(parts, [image.manifest, parsed.config, ...parsed.layers]);
    const sizes = await sizesOfPresent(parts, diffIds);
    const now_ms = parts.clock.now_ms();
    const record = {
      id: parsed.config.digest,
      manifest: image.manifest,
      layers: parsed.layers,
      config,
      size_bytes: sizes.reduce((sum, size) => sum + size, 0),
      recorded_ms: now_ms,
    };
    await writer.setRecord(record);
    const added: ReferenceRecord[] = names.map(reference => ({
      reference,
      imageId: record.id,
      manifest: image.manifest,
      tagged_ms: now_ms,
    }));
    const references = withReferences(await writer.references(), added);
    if (added.length > 0) await writer.setReferences(references);
    return toImage(record, references);
  }, options);
}

/** A name stands for one image: the new line replaces the old one. */
export function withReferences(references: ReferenceRecord[], added: ReferenceRecord[]): ReferenceRecord[] {
  const names = new Set(added.map(({ reference }) => reference));
  return [...references.filter(({ reference }) => !names.has(reference)), ...added];
}

async function sizesOfPresent(parts: ImageParts, diffIds: string[]): Promise<number[]> {
  try {
    return await parts.layers.sizes(diffIds);
  } catch (thrown) {
    if (!isCode(thrown, "not_found")) throw thrown;
    throw new BerthError("not_found", `recording an image: ${(thrown as BerthError).message}`, {
      cause: thrown,
      retryable: true,
    });
  }
}

async function requirePresent(parts: ImageParts, blobs: { digest: string; size: number }[]): Promise<void> {
  const found = await Promise.all(blobs.map(({ digest }) => parts.content.info(digest)));
  for (const [index, info] of found.entries()) {
    const { digest, size } = blobs[index]!;
    if (info === undefined) {
      throw new BerthError("not_found", `recording an image: its blob ${digest} is not in the content store`, {
        hint: "another process removed it in the meantime; try again",
        retryable: true,
      });
    }
    if (info.size !== size) {
      throw new BerthError(
        "corrupt",
        `recording an image: its blob ${digest} has ${info.size} bytes, declared are ${size}`,
      );
    }
  }
}
