import { createHash } from "node:crypto";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { newId } from "../../base/ids.ts";
import { compress, layerMediaTypes } from "../../image/layer/compress.ts";
import { type Compression, decompress, peekCompression } from "../../image/layer/decompress.ts";
import { LayerBounds, type LayerLimits } from "../../image/layer/layer-limits.ts";
import type { Descriptor } from "../../model/image.ts";
import type { CallOptions, ContentStore } from "../../ports/content.ts";
import { counted } from "./extract-layer.ts";
import type { LayerUnpacker, PreparedLayer } from "./layer-unpacker.ts";

/** A layer's blob in the content store and its files in a directory, from one reading of a stream. */
export interface TakenLayer {
  blob: Descriptor;
  prepared: PreparedLayer;
}

/** Takes layers in that come as streams: to the content store and unpacked at once. */
export class LayerIntake {
  readonly #content: Pick<ContentStore, "ingest">;
  readonly #unpacker: LayerUnpacker;
  readonly #limits: LayerLimits;

  constructor(content: Pick<ContentStore, "ingest">, unpacker: LayerUnpacker, limits: LayerLimits) {
    this.#content = content;
    this.#unpacker = unpacker;
    this.#limits = limits;
  }

  /** `compression` is what the blob is to have: absent, what is compressed stays as it is and the rest becomes gzip. */
  async take(
    source: AsyncIterable<Buffer>,
    { compression, signal }: CallOptions & { compression?: Compression },
  ): Promise<TakenLayer> {
    const bounds = new LayerBounds(this.#limits);
    const peeked = await peekCompression(counted(source, bounds));
    const wanted = compression ?? (peeked.compression === "none" ? "gzip" : peeked.compression);
    if (peeked.compression === wanted && wanted !== "none") {
      return await this.#keep(peeked.source, wanted, bounds, signal);
    }
    return await this.#compress(decompress(peeked.source), wanted, bounds, signal);
  }

  /** The compressed stream goes to the content store as it is, and through a decompressor to the files. */
  async #keep(
    source: AsyncIterable<Buffer>,
    compression: Compression,
    bounds: LayerBounds,
    signal?: AbortSignal,
  ): Promise<TakenLayer> {
    const copy = new PassThrough({ highWaterMark: 1 << 20 });
    const preparing = this.#unpacker.extract(decompress(copy), bounds, signal);
    preparing.catch(thrown => copy.destroy(thrown instanceof Error ? thrown : new Error(String(thrown))));
    copy.on("error", () => undefined);
    const [blob, prepared] = await Promise.allSettled([
      this.write(copiedTo(source, copy), compression, signal),
      preparing,
    ]);
    // The blob's failure is a consequence when the files failed first, and the other way round: a stream cut short tells less than its cause.
    if (blob.status === "rejected") {
      if (prepared.status === "fulfilled") this.#unpacker.discard(prepared.value);
      throw prepared.status === "rejected" && copy.errored ? prepared.reason : blob.reason;
    }
    if (prepared.status === "rejected") throw prepared.reason;
    return { blob: blob.value, prepared: prepared.value };
  }

  /** The tar goes to the files on its way to the compressor. */
  async #compress(
    tar: AsyncIterable<Buffer>,
    compression: Compression,
    bounds: LayerBounds,
    signal?: AbortSignal,
  ): Promise<TakenLayer> {
    let blob: Descriptor | undefined;
    const prepared = await this.#unpacker.prepare(bounds, async extraction => {
      const seen = watched(tar, chunk => extraction.push(chunk));
      blob = await this.write(compress(seen, compression), compression, signal);
    });
    return { blob: blob!, prepared };
  }

  /** Writes a stream into the content store under the digest that it turns out to have. */
  async write(source: AsyncIterable<Buffer>, compression: Compression, signal?: AbortSignal): Promise<Descriptor> {
    const hash = createHash("sha256");
    await using ingest = await this.#content.ingest(`layer-${newId()}`, { signal });
    try {
      await ingest.append(
        watched(source, chunk => hash.update(chunk)),
        { signal },
      );
      const size = ingest.offset;
      const digest = `sha256:${hash.digest("hex")}`;
      await ingest.commit({ digest, size }, { signal });
      return { mediaType: layerMediaTypes[compression], digest, size };
    } catch (thrown) {
      await ingest.abort();
      throw thrown;
    }
  }
}

export async function* watched(source: AsyncIterable<Buffer>, see: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    see(chunk);
    yield chunk;
  }
}

/** Passes on at the pace of the slower reader. */
async function* copiedTo(source: AsyncIterable<Buffer>, copy: PassThrough): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of source) {
      if (copy.errored) throw copy.errored;
      // Its reader may be content before the end: after a gzip member anything may follow.
      if (!copy.destroyed && !copy.write(chunk)) await Promise.race([once(copy, "drain"), once(copy, "close")]);
      yield chunk;
    }
    copy.end();
  } catch (thrown) {
    copy.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
    throw thrown;
  }
}
