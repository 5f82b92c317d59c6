import type { ImageParts } from "../image-parts.ts";
import { parseReference, type Reference } from "../reference.ts";
import { isDigestReference } from "../store/image-record.ts";

/** At most this many repositories are tried for a blob: a failed mount costs a round trip. */
const candidateLimit = 3;

/** Blobs that lie in other repositories of the same registry, as far as is known here: what was pulled from or pushed to them. By digest. */
export async function mountCandidates(parts: ImageParts, target: Reference): Promise<Map<string, string[]>> {
  const candidates = new Map<string, string[]>();
  for (const { reference, imageId } of await parts.metadata.references()) {
    if (!isDigestReference(reference)) continue; // a tag may never have been in the registry
    const { domain, path } = parseReference(reference);
    if (domain !== target.domain || path === target.path) continue;
    const record = await parts.metadata.record(imageId);
    for (const { digest } of record?.layers ?? []) {
      const known = candidates.get(digest) ?? [];
      if (known.length < candidateLimit && !known.includes(path)) candidates.set(digest, [...known, path]);
    }
  }
  return candidates;
}
