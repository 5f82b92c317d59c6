import { BerthError } from "../../base/errors.ts";
import {
  familiarName,
  formatReference,
  isDigest,
  parseReference,
  repositoryName,
  storeKey,
  withDefaultTag,
} from "../reference.ts";
import type { ImageRecord, ReferenceRecord } from "./image-record.ts";
import { isDigestReference } from "./image-record.ts";
import type { MetadataReader } from "./metadata.ts";

/** How a reference was understood: `reference` is set where it was a name, and names the very line that matched. */
export interface Match {
  record: ImageRecord;
  reference?: ReferenceRecord;
  references: ReferenceRecord[];
}

/**
 * Docker's order: a full id, then a name, then an id prefix (a tag "abc" hides the image abc…).
 * Throws `invalid` for what can be none of these, `conflict` for an ambiguous prefix.
 */
export async function lookup(reader: MetadataReader, text: string): Promise<Match | undefined> {
  const references = await reader.references();
  const asDigest = /^[a-f0-9]{64}$/.test(text) ? `sha256:${text}` : text;
  if (isDigest(asDigest)) {
    const record = await reader.record(asDigest);
    if (record !== undefined) return { record, references };
    const named = references.find(({ manifest }) => manifest.digest === asDigest);
    return named && matched(reader, named, references);
  }
  const prefix = /^(?:sha256:)?([a-f0-9]{1,63})$/.exec(text)?.[1];
  const named = text.startsWith("sha256:") ? undefined : byName(references, text);
  if (named !== undefined) return matched(reader, named, references);
  if (prefix === undefined) return undefined;
  const ids = (await reader.ids()).filter(id => id.startsWith(`sha256:${prefix}`));
  if (ids.length > 1) {
    throw new BerthError("conflict", `looking for image ${text}: ${ids.length} image ids begin with it`, {
      hint: `give more digits, e.g. ${ids[0]!.slice(7, 19)}`,
    });
  }
  const record = ids[0] && (await reader.record(ids[0]));
  return record ? { record, references } : undefined;
}

async function matched(
  reader: MetadataReader,
  reference: ReferenceRecord,
  references: ReferenceRecord[],
): Promise<Match | undefined> {
  const record = await reader.record(reference.imageId);
  return record && { record, reference, references };
}

function byName(references: ReferenceRecord[], text: string): ReferenceRecord | undefined {
  const parsed = parseReference(text);
  const key = storeKey(parsed);
  const exact = references.find(({ reference }) => reference === key);
  if (exact !== undefined || parsed.digest === undefined) return exact;
  const repository = repositoryName(parsed);
  return references.find(
    ({ reference, manifest }) => manifest.digest === parsed.digest && repositoryOf(reference) === repository,
  );
}

export function repositoryOf(reference: string): string {
  return repositoryName(parseReference(reference));
}

/** The `not_found` for a reference, with the nearest name there is. */
export async function notFound(reader: MetadataReader, text: string): Promise<BerthError> {
  const names = (await reader.references()).map(({ reference }) => reference).filter(name => !isDigestReference(name));
  const near = nearest(text, names);
  return new BerthError("not_found", `no such image: ${text}`, {
    hint:
      near === undefined
        ? `pull it first: berth pull ${text}`
        : `did you mean ${near}? Or pull it first: berth pull ${text}`,
  });
}

function nearest(text: string, names: string[]): string | undefined {
  let wanted: string;
  try {
    wanted = formatReference(withDefaultTag(parseReference(text)));
  } catch {
    return undefined; // an id: nothing is near it
  }
  const sameRepository = names.find(name => repositoryOf(name) === repositoryOf(wanted));
  if (sameRepository !== undefined) return familiarName(sameRepository);
  const ranked = names
    .map(name => ({ name, distance: distance(name, wanted) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= 3 ? familiarName(best.name) : undefined;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
