import { type KeyObject, verify } from "node:crypto";
import type { CallOptions } from "../../ports/content.ts";
import type { SignatureSource } from "./signature-source.ts";
import type { TrustRule } from "./trust-file.ts";

// Names and formats: github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md.
const signatureAnnotation = "dev.cosignproject.cosign/signature";
const payloadType = "application/vnd.dev.cosign.simplesigning.v1+json";
const signatureKind = "cosign container image signature";
const signatureLimit = 64;
const payloadLimit_bytes = 128 * 1024;

interface Payload {
  critical?: {
    type?: string;
    image?: { "docker-manifest-digest"?: string };
    identity?: { "docker-reference"?: string };
  };
}

/** Where cosign stores the signatures of a digest: beside it, under a tag made of the digest. */
export function signatureTag(digest: string): string {
  return `${digest.replace(":", "-")}.sig`;
}

/** Undefined when one signature is good; else why none is. */
export async function verifySigstore(
  rule: Extract<TrustRule, { kind: "signed" }>,
  repository: string,
  digest: string,
  source: SignatureSource,
  options: CallOptions,
): Promise<string | undefined> {
  const tag = signatureTag(digest);
  const manifest = await source.manifest(tag, options);
  if (manifest === undefined) return `it is not signed (no tag ${tag} beside it)`;
  const candidates = manifest.layers.filter(layer => layer.mediaType === payloadType);
  const reasons: string[] = [];
  for (const layer of candidates.slice(0, signatureLimit)) {
    const signature = layer.annotations?.[signatureAnnotation];
    if (signature === undefined || layer.size > payloadLimit_bytes) {
      reasons.push("a signature is malformed");
      continue;
    }
    const payload = await source.blob(layer, options);
    const reason = rule.keys.some(({ key }) => isSignedBy(key, payload, Buffer.from(signature, "base64")))
      ? whyOther(payload, digest, rule.matchRepository ? repository : undefined)
      : "it is signed with another key";
    if (reason === undefined) return undefined;
    reasons.push(reason);
  }
  return [...new Set(reasons)].join("; ") || `its tag ${tag} holds no signature`;
}

function isSignedBy(key: KeyObject, payload: Buffer, signature: Buffer): boolean {
  // Ed25519 hashes by itself; ECDSA (DER) and RSA (PKCS #1 1.5) are over SHA-256 in cosign.
  const algorithm = key.asymmetricKeyType === "ed25519" ? null : "sha256";
  try {
    return verify(algorithm, payload, key, signature);
  } catch {
    return false; // a signature that does not even parse is none
  }
}

/** A good signature, but of something else? */
function whyOther(data: Buffer, digest: string, repository: string | undefined): string | undefined {
  let critical: Payload["critical"];
  try {
    critical = (JSON.parse(data.toString("utf8")) as Payload | null)?.critical;
  } catch {
    return "its signed payload is not JSON";
  }
  if (critical?.type !== signatureKind) return `its signed payload is of type ${JSON.stringify(critical?.type)}`;
  const signed = critical.image?.["docker-manifest-digest"];
  if (signed !== digest) return `its signature is for another image (${signed})`;
  const identity = critical.identity?.["docker-reference"]?.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  if (repository !== undefined && identity !== repository) return `its signature is for the repository ${identity}`;
  return undefined;
}
