import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { asBerthError, BerthError } from "../../base/errors.ts";
import { shortId } from "../../base/ids.ts";
import { chainIds, nextChainId } from "../../image/layer/chain-id.ts";
import { decompress } from "../../image/layer/decompress.ts";
import { LayerBounds, type LayerLimits } from "../../image/layer/layer-limits.ts";
import type { Descriptor } from "../../model/image.ts";
import type { CallOptions, ContentStore } from "../../ports/content.ts";
import type { ProgressSink } from "../../ports/images.ts";
import type { Locks } from "../../ports/locks.ts";
import { syncFileSystem } from "../linux/at.ts";
import { counted, type ExtractedLayer, LayerExtraction } from "./extract-layer.ts";
import { finishLayer } from "./finish-layer.ts";
import type { LayerRecord, LayerRecords } from "./layer-records.ts";
import { LowerView } from "./lower-view.ts";
import { SharedWork } from "./shared-work.ts";
import { Slots } from "./slots.ts";
import type { StoreLayout } from "./store-layout.ts";
import type { WorkArea } from "./work-area.ts";

export interface UnpackerParts {
  layout: StoreLayout;
  records: LayerRecords;
  work: WorkArea;
  content: Pick<ContentStore, "open">;
  locks: Locks;
  limits: LayerLimits;
}

export interface StackedLayer {
  blob: Pick<Descriptor, "mediaType" | "digest" | "size">;
  diffId: string;
}

/** A layer on its way into the store. */
interface Item extends StackedLayer {
  chainId: string;
  parent: string | undefined;
}

/** A directory with the contents of a layer that is to become one of the store. */
export interface PreparedLayer extends ExtractedLayer {
  /** Holds `diff`. */
  directory: string;
}

/** Decompressing runs beside the main thread, writing files on it: a few at once keep both busy. */
const layersAtOnce = 3;
const progressStep_bytes = 1 << 20;

/** Unpacks layers into the store: each once, however many callers and processes ask for it, and never half. */
export class LayerUnpacker {
  readonly #parts: UnpackerParts;
  readonly #shared = new SharedWork<LayerRecord>();
  readonly #slots = new Slots(layersAtOnce);
  #unsynced: LayerRecord[] = [];
  #syncing: Promise<void> | undefined;

  constructor(parts: UnpackerParts) {
    this.#parts = parts;
  }

  async unpack(layers: StackedLayer[], options: CallOptions & { onProgress?: ProgressSink } = {}): Promise<void> {
    const chain = chainIds(layers.map(layer => layer.diffId));
    const items = layers.map((layer, at): Item => ({ ...layer, chainId: chain[at]!, parent: chain[at - 1] }));
    const stop = new AbortController();
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
    const results: Promise<LayerRecord>[] = [];
    for (const item of items) {
      const below = results.at(-1);
      results.push(
        this.#shared.run(item.chainId, signal, own => this.#unpackOne(item, below, own, options.onProgress)),
      );
    }
    const failed: unknown[] = [];
    for (const result of results) {
      result.catch(thrown => {
        failed.push(thrown);
        stop.abort(thrown);
      });
    }
    await Promise.allSettled(results);
    options.signal?.throwIfAborted();
    // The first is the cause; those above and beside it were stopped because of it.
    if (failed.length > 0) throw asBerthError(failed[0]);
  }

  async #unpackOne(
    item: Item,
    below: Promise<LayerRecord> | undefined,
    signal: AbortSignal,
    onProgress?: ProgressSink,
  ): Promise<LayerRecord> {
    const { layout, records, locks } = this.#parts;
    below?.catch(() => undefined);
    await using _ = await locks.acquire(layout.layerLock(item.chainId), { signal });
    const present = records.find(item.chainId);
    if (present !== undefined) return present;
    const id = shortId(item.blob.digest);
    const prepared = await this.#slots.run(() => this.#extractBlob(item, id, signal, onProgress));
    try {
      if (prepared.diffId !== item.diffId) {
        throw new BerthError(
          "corrupt",
          `unpack layer ${id}: it has the diff id ${prepared.diffId}, not ${item.diffId}`,
          {
            hint: "the image's configuration and its layers do not belong together; pull it again",
          },
        );
      }
      await below;
      const record = this.#install(prepared, item);
      onProgress?.({ id, status: "Pull complete" });
      return record;
    } catch (thrown) {
      this.#parts.work.discard(prepared.directory);
      throw thrown;
    }
  }

  async #extractBlob(item: Item, id: string, signal: AbortSignal, onProgress?: ProgressSink): Promise<PreparedLayer> {
    const total = item.blob.size;
    let told = -progressStep_bytes;
    const tell = (current: number) => {
      if (current - told < progressStep_bytes && current < total) return;
      told = current;
      onProgress?.({ id, status: "Extracting", current, total });
    };
    const bounds = new LayerBounds(this.#parts.limits);
    const blob = await this.#parts.content.open(item.blob.digest, { signal });
    try {
      return await this.extract(decompress(counted(blob, bounds, tell)), bounds, signal);
    } catch (thrown) {
      throw nameLayer(thrown, id);
    } finally {
      blob.destroy();
    }
  }

  /** Writes an uncompressed layer tar into a directory of its own. Nothing stays when it throws. */
  extract(tar: AsyncIterable<Buffer>, bounds: LayerBounds, signal?: AbortSignal): Promise<PreparedLayer> {
    return this.prepare(bounds, async extraction => {
      for await (const chunk of tar) {
        signal?.throwIfAborted();
        extraction.push(chunk);
      }
    });
  }

  /** The same for a caller that pushes the tar by itself. */
  async prepare(bounds: LayerBounds, feed: (extraction: LayerExtraction) => Promise<void>): Promise<PreparedLayer> {
    const directory = await this.#parts.work.makeDirectory("layer");
    try {
      const diff = join(directory, "diff");
      mkdirSync(diff, { mode: 0o755 });
      using extraction = new LayerExtraction(diff, bounds);
      await feed(extraction);
      return { directory, ...extraction.finish() };
    } catch (thrown) {
      this.#parts.work.discard(directory);
      throw asBerthError(thrown);
    }
  }

  discard(prepared: PreparedLayer): void {
    this.#parts.work.discard(prepared.directory);
  }

  /** Makes a prepared directory the layer over `parent`, unless there is one already. */
  async install(prepared: PreparedLayer, layer: StackedLayer, parent: string | undefined): Promise<LayerRecord> {
    const { layout, locks, records, work } = this.#parts;
    const chainId = nextChainId(parent, layer.diffId);
    try {
      await using _ = await locks.acquire(layout.layerLock(chainId));
      const present = records.find(chainId);
      if (present === undefined) return this.#install(prepared, { ...layer, chainId, parent });
      work.discard(prepared.directory);
      return present;
    } catch (thrown) {
      work.discard(prepared.directory);
      throw asBerthError(thrown);
    }
  }

  #install({ directory, remarks, size_bytes }: PreparedLayer, item: Item): LayerRecord {
    const { layout, records } = this.#parts;
    const below = item.parent === undefined ? [] : records.stackOf(item.parent);
    finishLayer(join(directory, "diff"), remarks, new LowerView(below.map(record => layout.diff(record.chainId))));
    const { chainId, diffId, parent } = item;
    const { mediaType, digest, size } = item.blob;
    const record = records.install(directory, {
      chainId,
      diffId,
      parent,
      size_bytes,
      blob: { mediaType, digest, size },
    });
    this.#unsynced.push(record);
    this.#syncing ??= this.#sync();
    return record;
  }

  /** Waiting for the disk would make every pull as slow as the disk; until it is flushed a layer is remembered as unsafe against a power failure. */
  async #sync(): Promise<void> {
    while (this.#unsynced.length > 0) {
      const batch = this.#unsynced;
      this.#unsynced = [];
      const fd = openSync(this.#parts.layout.layers, "r");
      try {
        await syncFileSystem(fd);
        for (const record of batch) this.#parts.records.markSynced(record);
      } catch {
        // They stay marked as they are: after a power failure they are unpacked again, which costs time and loses nothing.
      } finally {
        closeSync(fd);
      }
    }
    this.#syncing = undefined;
  }

  /** Resolves when what was unpacked is on disk. */
  async settle(): Promise<void> {
    await this.#syncing;
  }
}

/** Errors from deep in the tar, with the layer they are about. */
function nameLayer(thrown: unknown, id: string): unknown {
  if (!(thrown instanceof BerthError) || thrown.code === "cancelled") return thrown;
  const { hint, details, retryable } = thrown;
  return new BerthError(thrown.code, `layer ${id}: ${thrown.message}`, { cause: thrown, hint, details, retryable });
}
