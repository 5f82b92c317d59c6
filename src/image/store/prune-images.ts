import type { CallOptions } from "../../ports/content.ts";
import type { PrunedImages } from "../../ports/images.ts";
import type { ImageParts } from "../image-parts.ts";
import { familiarName } from "../reference.ts";
import { collectGarbage } from "./collect.ts";
import { type ImageRecord, isDigestReference } from "./image-record.ts";
import { dropRecords } from "./remove-image.ts";

export interface PruneOptions extends CallOptions {
  /** Also images with names; else only those without a tag. */
  all?: boolean;
  /** Only images created before. */
  until_ms?: number;
  /** "key" or "key=value"; all must fit. */
  labels?: string[];
  inUse: (imageId: string) => Promise<boolean>;
}

/** Removes what no container needs, then whatever nobody names any more. */
export async function pruneImages(parts: ImageParts, options: PruneOptions): Promise<PrunedImages> {
  return parts.metadata.change(async writer => {
    const references = await writer.references();
    const tagged = new Set(references.filter(item => !isDigestReference(item.reference)).map(item => item.imageId));
    const going: ImageRecord[] = [];
    for (const id of await writer.ids()) {
      const record = await writer.record(id);
      if (record === undefined || (tagged.has(id) && !options.all) || !fits(record, options)) continue;
      if (!(await options.inUse(id))) going.push(record);
    }
    const ids = new Set(going.map(({ id }) => id));
    const untagged = references.filter(({ imageId }) => ids.has(imageId)).map(({ reference }) => reference);
    if (untagged.length > 0) await writer.setReferences(references.filter(({ imageId }) => !ids.has(imageId)));
    let reclaimed_bytes = going.length === 0 ? 0 : await dropRecords(parts, writer, going, options);
    reclaimed_bytes += await collectGarbage(parts, writer, options);
    return { untagged: untagged.map(familiarName), deleted: [...ids], reclaimed_bytes };
  }, options);
}

function fits({ config }: ImageRecord, { until_ms, labels = [] }: PruneOptions): boolean {
  if (until_ms !== undefined && Date.parse(config.created ?? "1970-01-01T00:00:00Z") >= until_ms) return false;
  return labels.every(label => {
    const equals = label.indexOf("=");
    if (equals < 0) return config.config?.Labels?.[label] !== undefined;
    return config.config?.Labels?.[label.slice(0, equals)] === label.slice(equals + 1);
  });
}
