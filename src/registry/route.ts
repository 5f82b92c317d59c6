import { isDigest, isRepository, isTag, isUploadId } from "./names.ts";
import { RegistryError } from "./registry-error.ts";

/** The endpoints of the distribution specification, by name; the numbers are those of its table ("Endpoints"). */
export type Route =
  | { kind: "base" } // end-1
  | { kind: "catalog" }
  | { kind: "blob"; repository: string; digest: string } // end-2, end-10
  | { kind: "manifest"; repository: string; reference: string } // end-3, end-7, end-9
  | { kind: "uploads"; repository: string } // end-4, end-11
  | { kind: "upload"; repository: string; id: string } // end-5, end-6, end-13, end-14
  | { kind: "tags"; repository: string } // end-8
  | { kind: "referrers"; repository: string; digest: string }; // end-12

/** Throws NAME_INVALID, DIGEST_INVALID …; undefined for a path that is none of the API's. */
export function parseRoute(path: string): Route | undefined {
  if (path === "/v2" || path === "/v2/") return { kind: "base" };
  if (path === "/v2/_catalog") return { kind: "catalog" };
  // The name is greedy: "a/blobs/b" is a legal repository, so the last marker counts.
  const match =
    /^\/v2\/(?<name>.+)\/(?:(?<uploads>blobs\/uploads)\/?(?<id>[^/]*)|blobs\/(?<digest>[^/]+)|manifests\/(?<reference>[^/]+)|(?<tags>tags\/list)|referrers\/(?<subject>[^/]+))$/.exec(
      path,
    );
  if (match?.groups === undefined) return undefined;
  const { name = "", uploads, id, digest, reference, tags, subject } = match.groups;
  const repository = name;
  if (!isRepository(repository))
    throw new RegistryError("NAME_INVALID", `"${repository}" is not a valid repository name`);
  if (uploads !== undefined) {
    if (!id) return { kind: "uploads", repository };
    if (!isUploadId(id)) throw new RegistryError("BLOB_UPLOAD_UNKNOWN", `there is no upload ${id}`);
    return { kind: "upload", repository, id };
  }
  if (tags !== undefined) return { kind: "tags", repository };
  const named = digest ?? subject;
  if (named !== undefined) {
    if (!isDigest(named)) throw new RegistryError("DIGEST_INVALID", `"${named}" is not a sha256 digest`);
    return digest === undefined
      ? { kind: "referrers", repository, digest: named }
      : { kind: "blob", repository, digest: named };
  }
  if (reference!.includes(":") ? !isDigest(reference!) : !isTag(reference!)) {
    throw new RegistryError(
      reference!.includes(":") ? "DIGEST_INVALID" : "TAG_INVALID",
      `"${reference}" is neither a tag nor a sha256 digest`,
    );
  }
  return { kind: "manifest", repository, reference: reference! };
}
