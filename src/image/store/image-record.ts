import type { Descriptor, Image, ImageConfig, ImageManifest } from "../../model/image.ts";
import { isDigest } from "../reference.ts";

/** What images/records/<id>.json holds: an image as last stored. Names are kept apart, since they move. */
export interface ImageRecord {
  id: string;
  manifest: Descriptor;
  layers: Descriptor[];
  config: ImageConfig;
  size_bytes: number;
  recorded_ms: number;
}

/** One line of images/references.json: a name, with tag or digest, and what it stands for. */
export interface ReferenceRecord {
  /** Full: docker.io/library/redis:7, or docker.io/library/redis@sha256:… */
  reference: string;
  imageId: string;
  /** The manifest stored under this name: images of one id may have several, compressed differently. */
  manifest: Descriptor;
  tagged_ms: number;
}

/** What is being recorded; its blobs are in the content store and its layers unpacked. */
export interface NewImage {
  manifest: Descriptor;
  parsed: ImageManifest;
  config: ImageConfig;
}

export const isDigestReference = (reference: string): boolean => isDigest(reference.slice(reference.indexOf("@") + 1));

export function toImage(record: ImageRecord, references: ReferenceRecord[]): Image {
  const own = references.filter(({ imageId }) => imageId === record.id);
  const tags = own.filter(({ reference }) => !isDigestReference(reference));
  const tagged_ms = Math.max(0, ...tags.map(item => item.tagged_ms));
  return {
    id: record.id,
    tags: tags.map(({ reference }) => reference).sort(),
    repoDigests: own
      .map(({ reference }) => reference)
      .filter(isDigestReference)
      .sort(),
    manifest: record.manifest,
    config: record.config,
    size_bytes: record.size_bytes,
    createdAt: record.config.created ?? new Date(0).toISOString(),
    taggedAt: tagged_ms === 0 ? undefined : new Date(tagged_ms).toISOString(),
    layers: record.layers,
  };
}
