import type { Readable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import { BerthError } from "../base/errors.ts";
import { type Descriptor, type Image, type ImageConfig, mediaTypes, type Platform } from "../model/image.ts";
import type { CallOptions, ContentRoots, ContentStore } from "../ports/content.ts";
import type { ImageSource } from "../ports/image-source.ts";
import type { HistoryLine, ImageService, ProgressSink, PrunedImages } from "../ports/images.ts";
import type { LayerStore } from "../ports/layers.ts";
import type { Locks } from "../ports/locks.ts";
import { loadImages } from "./archive/load-images.ts";
import { storeManifest } from "./archive/read-docker-archive.ts";
import { type ArchiveFormat, saveImages } from "./archive/save-images.ts";
import type { ImageParts } from "./image-parts.ts";
import { bootstrapImage, type ImportOptions, importImage } from "./import-image.ts";
import { formatReference, parseReference, withDefaultTag } from "./reference.ts";
import { diskUsage } from "./store/disk-usage.ts";
import { historyLines } from "./store/history.ts";
import { toImage } from "./store/image-record.ts";
import { lookup, notFound } from "./store/lookup.ts";
import { ImageMetadata } from "./store/metadata.ts";
import { type PruneOptions, pruneImages } from "./store/prune-images.ts";
import { recordImage, withReferences } from "./store/record-image.ts";
import { type Removal, type RemoveOptions, removeImage } from "./store/remove-image.ts";

export interface LocalImageServiceOptions {
  /** Directory for image metadata; content and layers have their own. */
  root: string;
  content: ContentStore;
  layers: LayerStore;
  locks: Locks;
  clock: Clock;
  /** The host's own: what is chosen from an index, and assumed for an imported root. */
  platform: Platform;
  /** Asked in order for `bootstrap`. */
  sources?: ImageSource[];
  /** Who else needs content, so that it is not collected. */
  roots?: ContentRoots[];
}

/** The images of one host, on its disk. Any number of processes may use the same directories at once. */
export class LocalImageService implements ImageService {
  readonly content: ContentStore;
  readonly #parts: ImageParts;
  readonly #platform: Platform;
  readonly #sources: ImageSource[];

  constructor({ root, content, layers, locks, clock, platform, sources = [], roots = [] }: LocalImageServiceOptions) {
    this.content = content;
    this.#parts = { content, layers, clock, roots, metadata: new ImageMetadata({ root, locks }) };
    this.#platform = platform;
    this.#sources = sources;
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

  // The distribution client is being written: it lands next and replaces these four.
  async pull(reference: string): Promise<Image> {
    throw new BerthError("unsupported", `pulling ${reference}: not possible yet`);
  }
  async push(reference: string): Promise<{ digest: string; size: number }> {
    throw new BerthError("unsupported", `pushing ${reference}: not possible yet`);
  }
  async resolveRemote(reference: string): Promise<{ descriptor: Descriptor; platforms: Platform[] }> {
    throw new BerthError("unsupported", `asking for ${reference}: not possible yet`);
  }
  async login(registry: string): Promise<string> {
    throw new BerthError("unsupported", `logging in to ${registry}: not possible yet`);
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
