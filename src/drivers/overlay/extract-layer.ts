import { createHash } from "node:crypto";
import type { LayerBounds } from "../../image/layer/layer-limits.ts";
import { TarParser } from "../../image/layer/tar-parser.ts";
import type { LayerRemarks } from "./finish-layer.ts";
import { LayerWriter } from "./layer-writer.ts";

export interface ExtractedLayer {
  diffId: string;
  size_bytes: number;
  remarks: LayerRemarks;
}

/** Writes an uncompressed layer tar into an empty directory as it comes, and says at the end what it was; `finishLayer` completes the directory. */
export class LayerExtraction implements Disposable {
  readonly #bounds: LayerBounds;
  readonly #writer: LayerWriter;
  readonly #parser: TarParser;
  readonly #hash = createHash("sha256");

  constructor(directory: string, bounds: LayerBounds) {
    this.#bounds = bounds;
    this.#writer = new LayerWriter(directory, bounds);
    this.#parser = new TarParser(this.#writer);
  }

  push(chunk: Buffer): void {
    this.#bounds.addStream(chunk.length);
    this.#hash.update(chunk);
    this.#parser.push(chunk);
  }

  finish(): ExtractedLayer {
    this.#parser.finish();
    const { size_bytes, remarks } = this.#writer;
    return { diffId: `sha256:${this.#hash.digest("hex")}`, size_bytes, remarks };
  }

  [Symbol.dispose](): void {
    this.#writer.close();
  }
}

/** Passes a stream on while counting its compressed bytes. */
export async function* counted(
  source: AsyncIterable<Buffer>,
  bounds: LayerBounds,
  onBytes?: (total: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    bounds.addCompressed(chunk.length);
    onBytes?.(bounds.compressed_bytes);
    yield chunk;
  }
}
