import { createHash } from "node:crypto";
import { BerthError } from "../base/errors.ts";
import { isDigest } from "./reference.ts";

export function digestOf(data: Buffer | string): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** The 64 digits, safe as a file name. Throws `invalid`: digests come from manifests, which strangers write. */
export function digestHex(digest: string): string {
  if (!isDigest(digest)) {
    throw new BerthError(
      "invalid",
      `${JSON.stringify(digest.slice(0, 100))} is not a digest (sha256: and 64 hex digits)`,
    );
  }
  return digest.slice("sha256:".length);
}
