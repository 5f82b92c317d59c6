import type { Readable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import { BerthError } from "../base/errors.ts";
import { type Descriptor, type Image, type ImageConfig, mediaTypes, type Platform } from "../model/image.ts";
import type { CallOptions, ContentRoots, ContentStore } from "../ports/content.ts";
import type { ImageSource } from "../ports/image-source.ts";
import type {
  HistoryLine,
  ImageService,
  ProgressSink,
  PrunedImages,
  RegistryAuth,
  TransferOptions,
} from "../ports/images.ts";
import type { LayerStore } from "../ports/layers.ts";
import type { Locks } from "../ports/locks.ts";
import { loadImages } from "./archive/load-images.ts";
import { storeManifest } from "./archive/read-docker-archive.ts";
import { type ArchiveFormat, saveImages } from "./archive/save-images.ts";
import type { StoreKey } from "./content/store-key.ts";
import { pullImage } from "./distribution/pull.ts";
import { pushImage } from "./distribution/push.ts";
import type { RegistryClients } from "./distribution/registry-clients.ts";
import { remotePlatforms, resolve } from "./distribution/resolve.ts";
import type { ImageParts } from "./image-parts.ts";
import { bootstrapImage, type ImportOptions, importImage } from "./import-image.ts";
import { defaultDomain, formatReference, parseReference, withDefaultTag } from "./reference.ts";
import { diskUsage } from "./store/disk-usage.ts";
import { historyLines } from "./store/history.ts";
import { toImage } from "./store/image-record.ts";
import { lookup, notFound } from "./store/lookup.ts";
import { ImageMetadata } from "./store/metadata.ts";
import { type PruneOptions, pruneImages } from "./store/prune-images.ts";
import { recordImage, withReferences } from "./store/record-image.ts";
import { type Removal, type RemoveOptions, removeImage } from "./store/remove-image.ts";
import { TrustPolicy } from "./trust/trust-policy.ts";

export interface LocalImageServiceOptions {
  /** Directory for image metadata; content and layers have their own. */
  root: string;
  content: ContentStore;
  layers: LayerStore;
  locks: Locks;
  clock: Clock;
  /** The way to registries. */
  clients: RegistryClients;
  /** Which images may be pulled; without it all. */
  trust?: TrustPolicy;
  /** The host's own: what is chosen from an index, and assumed for an imported root. */
  platform: Platform;
  /** Asked in order for `bootstrap`. */
  sources?: ImageSource[];
  /** Who else needs content, so that it is not collected. */
  roots?: ContentRoots[];
  /** Where a registry may run over the same `content`. */
  storeKey?: StoreKey;
}

/** The images of one host, on its disk. Any number of processes may use the same directories at once. */
export class LocalImageService implements ImageService {
  readonly content: ContentStore;
  readonly #parts: ImageParts;
  readonly #clients: RegistryClients;
  readonly #trust: TrustPolicy;
  readonly #platform: Platform;
  readonly #sources: ImageSource[];

  constructor(options: LocalImageServiceOptions) {
    const { root, content, layers, locks, clock, roots = [], storeKey } = options;
    this.content = content;
    this.#parts = { content, layers, clock, roots, storeKey, metadata: new ImageMetadata({ root, locks }) };
    this.#clients = options.clients;
    this.#trust = options.trust ?? new TrustPolicy();
    this.#platform = options.platform;
    this.#sources = options.sources ?? [];
  }

  async find(reference: string, _options: CallOptions = {}): Promise<Image | undefined> {
    const match = await lookup(this.#parts.metadata, reference);
    return match && toImage(match.record, match.references);
  }

  async get(reference: string, options: CallOptions = {}): Promise<Image> {
    const image = await this.find(reference, options);
    if (image === undefined) throw await notFound(this.#parts.metadata, reference);
    return image;
  }

  async list({ signal }: CallOptions = {}): Promise<Image[]> {
    const { metadata } = this.#parts;
    const references = await metadata.references();
    const images: Image[] = [];
    for (const id of await metadata.ids()) {
      signal?.throwIfAborted();
      const record = await metadata.record(id);
      if (record !== undefined) images.push(toImage(record, references));
    }
    return images.sort((a, b) =>
      a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : a.id < b.id ? -1 : 1,
    );
  }

  async history(reference: string, options: CallOptions = {}): Promise<HistoryLine[]> {
    const image = await this.get(reference, options);
    return historyLines(image, await this.#parts.layers.sizes(image.config.rootfs.diff_ids));
  }

  async tag(source: string, target: string, options: CallOptions = {}): Promise<void> {
    const parsed = withDefaultTag(parseReference(target));
    if (parsed.digest !== undefined) {
      throw new BerthError("invalid", `tagging ${source} as ${target}: a name to give cannot have a digest`);
    }
    const { metadata, clock } = this.#parts;
    await metadata.change(async writer => {
      const match = await lookup(writer, source);
      if (match === undefined) throw await notFound(writer, source);
      const manifest = match.reference?.manifest ?? match.record.manifest;
      const added = {
        reference: formatReference(parsed),
        imageId: match.record.id,
        manifest,
        tagged_ms: clock.now_ms(),
      };
      await writer.setReferences(withReferences(match.references, [added]));
    }, options);
  }

  pull(reference: string, options: TransferOptions = {}): Promise<Image> {
    const context = { parts: this.#parts, clients: this.#clients, trust: this.#trust, host: this.#platform };
    return pullImage(context, withDefaultTag(parseReference(reference)), options);
  }

  async push(reference: string, options: TransferOptions = {}): Promise<{ digest: string; size: number }> {
    const parsed = withDefaultTag(parseReference(reference));
    if (parsed.digest !== undefined) {
      throw new BerthError("invalid", `pushing ${reference}: a digest cannot be pushed to`, {
        hint: "give it a tag first",
      });
    }
    return pushImage(this.#parts, this.#clients, parsed, options);
  }

  async resolveRemote(
    reference: string,
    options: TransferOptions = {},
  ): Promise<{ descriptor: Descriptor; platforms: Platform[] }> {
    const parsed = withDefaultTag(parseReference(reference));
    const resolved = await resolve(this.#clients, parsed, options);
    const platforms = await remotePlatforms(this.#clients, resolved, parsed, options);
    return { descriptor: resolved.top.descriptor, platforms };
  }

  async login(registry: string, auth: RegistryAuth, options: CallOptions = {}): Promise<string> {
    const host = registry.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
    const domain = host === "" || host === "index.docker.io" ? defaultDomain : host;
    await (await this.#clients.registry(domain, auth, options)).ping(options);
    return "Login Succeeded";
  }

  remove(reference: string, options: RemoveOptions = {}): Promise<Removal[]> {
    return removeImage(this.#parts, reference, options);
  }

  prune(options: PruneOptions): Promise<PrunedImages> {
    return pruneImages(this.#parts, options);
  }

  save(references: string[], options: CallOptions & { format?: ArchiveFormat } = {}): Promise<Readable> {
    return saveImages(this.#parts, references, options.format ?? "docker-archive", options);
  }

  load(archive: Readable, options: CallOptions & { onProgress?: ProgressSink } = {}) {
    return loadImages(this.#parts, archive, this.#platform, options);
  }

  import(archive: Readable, options: ImportOptions): Promise<Image> {
    return importImage(this.#parts, archive, this.#platform, options);
  }

  async create(
    input: { config: ImageConfig; layers: Descriptor[]; tags?: string[]; annotations?: Record<string, string> },
    options: CallOptions = {},
  ): Promise<Image> {
    const names = (input.tags ?? []).map(tag => formatReference(withDefaultTag(parseReference(tag))));
    const { digest, size } = await this.content.put(Buffer.from(JSON.stringify(input.config)), options);
    const config = { mediaType: mediaTypes.ociConfig, digest, size };
    const stored = await storeManifest(this.content, config, input.layers, {
      ...options,
      annotations: input.annotations,
    });
    return recordImage(this.#parts, { ...stored, config: input.config }, names, options);
  }

  canBootstrap(reference: string): boolean {
    const full = formatReference(withDefaultTag(parseReference(reference)));
    return this.#sources.some(source => source.matches(full));
  }

  bootstrap(reference: string, options: CallOptions & { onProgress?: ProgressSink } = {}): Promise<Image> {
    return bootstrapImage(this.#parts, this.#sources, reference, options);
  }

  diskUsage(options: CallOptions = {}) {
    return diskUsage(this.#parts, options);
  }
}
