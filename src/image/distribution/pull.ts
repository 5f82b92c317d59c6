import { BerthError, isCode } from "../../base/errors.ts";
import type { Descriptor, Image, ImageConfig, ImageManifest, Platform } from "../../model/image.ts";
import type { ProgressSink, TransferOptions } from "../../ports/images.ts";
import type { ImageParts } from "../image-parts.ts";
import { configLimit_bytes, parseConfig, requireRunnable } from "../manifest.ts";
import { formatPlatform, platformDistance } from "../platform.ts";
import { familiarName, formatReference, type Reference, repositoryName } from "../reference.ts";
import { recordImage } from "../store/record-image.ts";
import type { TrustPolicy } from "../trust/trust-policy.ts";
import { fetchBlob } from "./fetch-blob.ts";
import { Limiter } from "./limiter.ts";
import type { RegistryClients } from "./registry-clients.ts";
import { registrySignatures } from "./registry-signatures.ts";
import { platformManifest, type Resolved, resolve, shortDigest } from "./resolve.ts";

/** Docker's three, and one for the configuration. */
const downloadsAtOnce = 4;
/** A removal elsewhere may take away what was found here: then it is fetched. */
const vanishedLimit = 3;

export interface PullContext {
  parts: ImageParts;
  clients: RegistryClients;
  trust: TrustPolicy;
  host: Platform;
}

/** Brings an image here and names it. `reference` has a tag or a digest. */
export async function pullImage(
  context: PullContext,
  reference: Reference,
  options: TransferOptions = {},
): Promise<Image> {
  const { clients, parts, trust } = context;
  const say = options.onProgress ?? (() => {});
  const rule = await trust.ruleFor(reference);
  const resolved = await resolve(clients, reference, options);
  say({ id: reference.tag ?? reference.digest ?? "", status: `Pulling from ${reference.path}` });
  await trust.verify(
    rule,
    reference,
    resolved.top.descriptor.digest,
    registrySignatures(clients, resolved, reference),
    options,
  );
  const chosen = await platformManifest(clients, resolved, reference, options.platform ?? context.host, options);
  if (chosen.parsed.kind !== "image") throw new BerthError("internal", "a platform's manifest is an image");
  const { manifest } = chosen.parsed;
  requireRunnable(manifest, familiarName(reference));
  const digest = resolved.top.descriptor.digest;
  const names = namesFor(reference, digest);
  const before = await parts.metadata.references();
  for (let attempt = 1; ; attempt++) {
    try {
      await parts.content.put(chosen.data, options);
      const config = await fetchParts(context, resolved, reference, manifest, options);
      const image = await recordImage(
        parts,
        { manifest: chosen.descriptor, parsed: manifest, config },
        names,
        quiet(options),
      );
      const isNew = !before.some(
        item => item.reference === names[0] && item.manifest.digest === chosen.descriptor.digest,
      );
      say({ id: "", status: `Digest: ${digest}` });
      const outcome = isNew ? "Downloaded newer image for" : "Image is up to date for";
      say({ id: "", status: `Status: ${outcome} ${familiarName(reference)}` });
      return image;
    } catch (thrown) {
      const isVanished = isCode(thrown, "not_found") && (thrown as BerthError).retryable;
      if (!isVanished || attempt >= vanishedLimit) throw thrown;
    }
  }
}

/** The tag, and the digest that it stood for: each finds the image again. */
function namesFor(reference: Reference, digest: string): string[] {
  const byDigest = `${repositoryName(reference)}@${digest}`;
  if (reference.tag === undefined || reference.digest !== undefined) return [byDigest];
  return [formatReference(reference), byDigest];
}

/** Configuration first, since it names the diff ids; then layers, each unpacked as soon as it and those below are here. */
async function fetchParts(
  context: PullContext,
  resolved: Resolved,
  reference: Reference,
  manifest: ImageManifest,
  options: TransferOptions,
): Promise<ImageConfig> {
  const { parts } = context;
  // One failure ends the other downloads at once.
  const controller = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, controller.signal]) : controller.signal;
  const inner = { ...options, signal };
  const limiter = new Limiter(downloadsAtOnce);
  const say = options.onProgress ?? (() => {});
  for (const layer of manifest.layers) say({ id: shortDigest(layer), status: "Pulling fs layer" });
  const layers = manifest.layers.map(layer => limiter.run(() => download(context, resolved, reference, layer, inner)));
  for (const layer of layers) layer.catch(thrown => controller.abort(thrown));
  const unpacking: Promise<void>[] = [];
  try {
    const config = await fetchConfig(context, resolved, reference, manifest, inner);
    const chain = manifest.layers.map((blob, index) => ({ blob, diffId: config.rootfs.diff_ids[index]! }));
    for (const [index, layer] of layers.entries()) {
      await layer;
      const unpacked = parts.layers.unpack(chain.slice(0, index + 1), inner);
      unpacked.catch(thrown => controller.abort(thrown));
      unpacking.push(unpacked);
    }
    await Promise.all(unpacking);
    return config;
  } catch (thrown) {
    controller.abort(thrown);
    await Promise.allSettled([...layers, ...unpacking]);
    options.signal?.throwIfAborted();
    throw controller.signal.reason;
  }
}

async function fetchConfig(
  context: PullContext,
  resolved: Resolved,
  reference: Reference,
  manifest: ImageManifest,
  options: TransferOptions,
): Promise<ImageConfig> {
  const { config } = manifest;
  const what = `configuration ${config.digest} of ${familiarName(reference)}`;
  if (config.size > configLimit_bytes) {
    throw new BerthError("corrupt", `reading ${what}: ${config.size} bytes exceed the limit of ${configLimit_bytes}`);
  }
  await download(context, resolved, reference, config, { ...options, onProgress: undefined });
  const parsed = parseConfig(await context.parts.content.read(config.digest), manifest.layers.length, what);
  if (options.platform !== undefined && platformDistance(options.platform, parsed) === undefined) {
    const wanted = formatPlatform(options.platform);
    throw new BerthError(
      "not_found",
      `pulling ${familiarName(reference)} for ${wanted}: the image is for ${formatPlatform(parsed)}`,
    );
  }
  return parsed;
}

async function download(
  { parts, clients }: PullContext,
  { sessions }: Resolved,
  reference: Reference,
  blob: Descriptor,
  options: TransferOptions,
): Promise<void> {
  const id = shortDigest(blob);
  const say: ProgressSink = options.onProgress ?? (() => {});
  const existing = await parts.content.touch(blob.digest, options);
  if (existing?.size === blob.size) {
    say({ id, status: "Already exists" });
    return;
  }
  if (existing !== undefined) await parts.content.delete(blob.digest); // cut short by a crash of the machine
  await clients.downloads.join(
    blob.digest,
    (signal, report) =>
      fetchBlob(
        {
          content: parts.content,
          clock: clients.clock,
          random: clients.random,
          signal,
          onBytes: current => report({ id, status: "Downloading", current, total: blob.size }),
          onRetry: (_, delay_ms) => report({ id, status: `Retrying in ${Math.ceil(delay_ms / 1000)} seconds` }),
        },
        sessions,
        reference.path,
        blob,
      ),
    { signal: options.signal, onProgress: say },
  );
  say({ id, status: "Download complete" });
}

/** The layers were unpacked, and said so, before they are recorded. */
function quiet(options: TransferOptions): TransferOptions {
  return { ...options, onProgress: undefined };
}
