import { BerthError } from "../base/errors.ts";
import { type Descriptor, type ImageConfig, type ImageIndex, type ImageManifest, mediaTypes } from "../model/image.ts";
import { isDigest } from "./reference.ts";

/** Registries refuse larger ones (OCI distribution-spec, "Pushing Manifests"); so does Berth. */
export const manifestLimit_bytes = 4 * 1024 * 1024;
export const configLimit_bytes = 8 * 1024 * 1024;
/** Overlay's own limit on lower layers, as Docker has it. */
const layerLimit = 500;
const indexLimit = 5000;

const indexTypes = new Set<string>([mediaTypes.ociIndex, mediaTypes.dockerIndex]);
const configTypes = new Set<string>([mediaTypes.ociConfig, mediaTypes.dockerConfig]);

export const manifestAccept = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerIndex,
].join(", ");

export type ParsedManifest =
  | { kind: "image"; mediaType: string; manifest: ImageManifest }
  | { kind: "index"; mediaType: string; index: ImageIndex };

/** Checks what a stranger wrote once, here: afterwards types can be trusted. `what` names it in errors. Throws `corrupt` or `unsupported`. */
export function parseManifest(data: Buffer, what: string, declaredType?: string): ParsedManifest {
  if (data.length > manifestLimit_bytes) {
    throw new BerthError("corrupt", `reading ${what}: ${data.length} bytes exceed the limit of ${manifestLimit_bytes}`);
  }
  const value = parseObject(data, what);
  if (value["schemaVersion"] === 1) {
    throw new BerthError("unsupported", `reading ${what}: it is an image of Docker's schema 1, obsolete since 2017`, {
      hint: "push the image again with any current tool",
    });
  }
  const ownType = typeof value["mediaType"] === "string" ? value["mediaType"] : undefined;
  const mediaType = ownType ?? declaredType?.split(";")[0]?.trim();
  if (Array.isArray(value["manifests"]) && !("layers" in value)) {
    const manifests = descriptors(value["manifests"], what, indexLimit);
    const kindType = mediaType !== undefined && indexTypes.has(mediaType) ? mediaType : mediaTypes.ociIndex;
    return { kind: "index", mediaType: kindType, index: { ...(value as unknown as ImageIndex), manifests } };
  }
  if (!Array.isArray(value["layers"]) || typeof value["config"] !== "object") {
    throw new BerthError("corrupt", `reading ${what}: it is neither an image manifest nor an index`);
  }
  const layers = descriptors(value["layers"], what, layerLimit);
  const [config] = descriptors([value["config"]], what, 1);
  const kindType = mediaType === mediaTypes.dockerManifest ? mediaType : mediaTypes.ociManifest;
  const manifest = { ...(value as unknown as ImageManifest), layers, config: config! };
  return { kind: "image", mediaType: kindType, manifest };
}

/** An artifact (a chart, a signature) has a manifest too, but cannot be run. Throws `unsupported`. */
export function requireRunnable(manifest: ImageManifest, what: string): void {
  if (configTypes.has(manifest.config.mediaType)) return;
  throw new BerthError(
    "unsupported",
    `${what} is not a container image: its configuration is ${manifest.config.mediaType}`,
    {
      hint: "artifacts such as charts and signatures are fetched with their own tools",
    },
  );
}

/** Throws `corrupt` where the configuration does not fit its manifest. */
export function parseConfig(data: Buffer, layerCount: number | undefined, what: string): ImageConfig {
  const value = parseObject(data, what);
  const rootfs = value["rootfs"] as ImageConfig["rootfs"] | undefined;
  const diffIds: unknown = rootfs?.diff_ids ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every(id => typeof id === "string" && isDigest(id))) {
    throw new BerthError("corrupt", `reading ${what}: its rootfs.diff_ids are not digests`);
  }
  if (layerCount !== undefined && diffIds.length !== layerCount) {
    throw new BerthError("corrupt", `reading ${what}: it lists ${diffIds.length} diff ids for ${layerCount} layers`);
  }
  if (typeof value["os"] !== "string" || typeof value["architecture"] !== "string") {
    throw new BerthError("corrupt", `reading ${what}: it names no operating system and architecture`);
  }
  return { ...(value as unknown as ImageConfig), rootfs: { type: "layers", diff_ids: diffIds } };
}

export function parseObject(data: Buffer, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(data.toString("utf8"));
  } catch (thrown) {
    throw new BerthError("corrupt", `reading ${what}: it is not JSON: ${(thrown as Error).message}`, { cause: thrown });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BerthError("corrupt", `reading ${what}: it is not a JSON object`);
  }
  return value as Record<string, unknown>;
}

function descriptors(values: unknown[], what: string, limit: number): Descriptor[] {
  if (values.length > limit)
    throw new BerthError("corrupt", `reading ${what}: ${values.length} entries exceed ${limit}`);
  for (const value of values) {
    const { digest, size, mediaType } = (value ?? {}) as Partial<Descriptor>;
    if (typeof digest !== "string" || !isDigest(digest)) {
      throw new BerthError(
        "corrupt",
        `reading ${what}: ${JSON.stringify(digest)?.slice(0, 100)} is not a sha256 digest`,
      );
    }
    if (!Number.isSafeInteger(size) || size! < 0)
      throw new BerthError("corrupt", `reading ${what}: ${digest} has no size`);
    if (typeof mediaType !== "string") throw new BerthError("corrupt", `reading ${what}: ${digest} has no media type`);
  }
  return values as Descriptor[];
}
