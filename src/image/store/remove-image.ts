import { BerthError } from "../../base/errors.ts";
import { shortId } from "../../base/ids.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { ImageParts } from "../image-parts.ts";
import { familiarName } from "../reference.ts";
import { collectRemoved } from "./collect.ts";
import { type ImageRecord, isDigestReference, type ReferenceRecord } from "./image-record.ts";
import { lookup, type Match, notFound, repositoryOf } from "./lookup.ts";
import type { MetadataWriter } from "./metadata.ts";

export interface RemoveOptions extends CallOptions {
  force?: boolean;
  /** Who uses an image, as a phrase for the error; undefined where nobody does. */
  inUse?: (imageId: string) => Promise<string | undefined>;
}

export type Removal = { untagged?: string; deleted?: string };

/** Docker's `image rm`: see `ImageService.remove`. Digest references of a repository go with its last tag. */
export async function removeImage(parts: ImageParts, text: string, options: RemoveOptions = {}): Promise<Removal[]> {
  return parts.metadata.change(async writer => {
    const match = await lookup(writer, text);
    if (match === undefined) throw await notFound(writer, text);
    const own = match.references.filter(({ imageId }) => imageId === match.record.id);
    const usedBy = await options.inUse?.(match.record.id);
    const going = match.reference === undefined ? allOf(match, own, usedBy, options) : oneOf(match.reference, own);
    const isLast = going.length === own.length;
    if (usedBy !== undefined && isLast && !options.force) throw stillUsed(match.record, usedBy);
    const removals: Removal[] = going.map(({ reference }) => ({ untagged: familiarName(reference) }));
    if (going.length > 0) await writer.setReferences(match.references.filter(item => !going.includes(item)));
    if (!isLast || usedBy !== undefined) return removals; // a used one stays, without a name
    await dropRecords(parts, writer, [match.record], options);
    return [...removals, { deleted: match.record.id }];
  }, options);
}

/** Deletes the images' records and, at once, what only they needed. Returns the bytes freed. */
export async function dropRecords(
  parts: ImageParts,
  writer: MetadataWriter,
  records: ImageRecord[],
  options: CallOptions = {},
): Promise<number> {
  for (const { id } of records) await writer.deleteRecord(id);
  return collectRemoved(parts, writer, records, options);
}

/** By name: that name; and where only digests of its repository are left then, these too. */
function oneOf(named: ReferenceRecord, own: ReferenceRecord[]): ReferenceRecord[] {
  const repository = repositoryOf(named.reference);
  const siblings = own.filter(item => item !== named && repositoryOf(item.reference) === repository);
  const onlyDigestsLeft = siblings.every(({ reference }) => isDigestReference(reference));
  return onlyDigestsLeft && !isDigestReference(named.reference) ? [named, ...siblings] : [named];
}

/** By id: all names, if there is but one tag or `force` says so. */
function allOf(
  match: Match,
  own: ReferenceRecord[],
  usedBy: string | undefined,
  { force }: RemoveOptions,
): ReferenceRecord[] {
  const tags = own.filter(({ reference }) => !isDigestReference(reference));
  const repositories = new Set(own.map(({ reference }) => repositoryOf(reference)));
  if (usedBy !== undefined) throw stillUsed(match.record, usedBy);
  if (!force && (tags.length > 1 || repositories.size > 1)) {
    throw new BerthError(
      "conflict",
      `removing image ${shortId(match.record.id)}: it has several names (must be forced): ${own.map(({ reference }) => familiarName(reference)).join(", ")}`,
      { hint: "remove the names one by one, or use --force to take all of them off" },
    );
  }
  return own;
}

function stillUsed(record: ImageRecord, usedBy: string): BerthError {
  return new BerthError("in_use", `removing image ${shortId(record.id)}: ${usedBy}`, {
    hint: "remove the container first, or use --force to take only the name off",
  });
}
