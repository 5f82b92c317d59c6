import { createHash } from "node:crypto";
import { type Descriptor, mediaTypes } from "../model/image.ts";
import { isDigest } from "./names.ts";
import { RegistryError } from "./registry-error.ts";
import type { ManifestRecord } from "./repositories.ts";

/** As large registries have it: 4 MiB. */
export const manifestLimit_bytes = 4 * 1024 * 1024;

interface AnyManifest {
  schemaVersion?: number;
  mediaType?: string;
  artifactType?: string;
  config?: Descriptor;
  layers?: Descriptor[];
  manifests?: Descriptor[];
  subject?: Descriptor;
  annotations?: Record<string, string>;
}

export const digestOfBytes = (data: Buffer) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

/** What a manifest says of itself; throws MANIFEST_INVALID naming what is wrong. */
export function readManifest(data: Buffer, contentType: string): ManifestRecord {
  let manifest: AnyManifest;
  try {
    manifest = JSON.parse(data.toString("utf8")) as AnyManifest;
  } catch {
    throw new RegistryError("MANIFEST_INVALID", "the manifest is not JSON");
  }
  if (manifest === null || typeof manifest !== "object" || manifest.schemaVersion !== 2) {
    throw new RegistryError("MANIFEST_INVALID", "schemaVersion must be 2; older formats are not served");
  }
  const mediaType = contentType || manifest.mediaType || mediaTypes.ociManifest;
  if (manifest.mediaType !== undefined && manifest.mediaType !== mediaType) {
    throw new RegistryError(
      "MANIFEST_INVALID",
      `the manifest's mediaType ${manifest.mediaType} differs from the Content-Type ${mediaType}`,
    );
  }
  const needs = [manifest.config, ...list(manifest.layers, "layers"), ...list(manifest.manifests, "manifests")].filter(
    part => part !== undefined && part !== null,
  );
  for (const descriptor of needs) checkDescriptor(descriptor);
  if (manifest.subject) checkDescriptor(manifest.subject);
  return {
    mediaType,
    size: data.length,
    // OCI distribution-spec 1.1, "Listing Referrers": the config's type stands in for an artifactType that is not given.
    artifactType: manifest.artifactType ?? manifest.config?.mediaType,
    annotations: manifest.annotations,
    subject: manifest.subject?.digest,
    // Layers with urls of their own may be left out of a registry (foreign layers).
    needs: needs.filter(descriptor => !descriptor.urls?.length).map(({ digest, size }) => ({ digest, size })),
  };
}

function list(value: unknown, name: string): Descriptor[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RegistryError("MANIFEST_INVALID", `${name} is not a list`);
  return value as Descriptor[];
}

function checkDescriptor(descriptor: Descriptor): void {
  if (typeof descriptor !== "object" || typeof descriptor.digest !== "string" || !isDigest(descriptor.digest)) {
    throw new RegistryError("MANIFEST_INVALID", `"${descriptor?.digest}" is not a sha256 digest`);
  }
}
