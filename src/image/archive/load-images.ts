import type { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import type { Image, Platform } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { ProgressSink } from "../../ports/images.ts";
import type { ImageParts } from "../image-parts.ts";
import { familiarName } from "../reference.ts";
import { recordImage } from "../store/record-image.ts";
import { ArchiveFiles } from "./archive-files.ts";
import type { FoundImage } from "./found-image.ts";
import { readDockerArchive } from "./read-docker-archive.ts";
import { readLegacyArchive } from "./read-legacy-archive.ts";
import { readOciLayout } from "./read-oci-layout.ts";

/** Takes in every image of an archive, of any of the known kinds. Throws `corrupt` with what does not fit; nothing is named then. */
export async function loadImages(
  parts: ImageParts,
  archive: Readable,
  host: Platform,
  options: CallOptions & { onProgress?: ProgressSink } = {},
): Promise<{ image: Image; names: string[] }[]> {
  const files = await ArchiveFiles.read(archive, parts.content, options);
  const found = await findImages(files, parts, host, options);
  const loaded: { image: Image; names: string[] }[] = [];
  for (const item of found) {
    const image = await recordImage(parts, item, item.names, options);
    loaded.push({ image, names: item.names.length > 0 ? item.names.map(familiarName) : [image.id] });
  }
  return loaded;
}

async function findImages(
  files: ArchiveFiles,
  parts: ImageParts,
  host: Platform,
  options: CallOptions,
): Promise<FoundImage[]> {
  if (files.has("index.json") && files.has("oci-layout")) {
    const found = await readOciLayout(files, host, options);
    if (found.length > 0) return found;
  }
  if (files.has("manifest.json")) return readDockerArchive(files, parts.content, options);
  if (files.has("repositories")) return readLegacyArchive(files, parts.content, options);
  const [first = "nothing"] = files.names();
  throw new BerthError(
    "corrupt",
    `reading the archive: it holds no image (no manifest.json, index.json or repositories; first file: ${first})`,
    {
      hint: "load reads what docker save, podman save and skopeo write; a root file system is taken in with: berth image import",
    },
  );
}
