import { BerthError } from "../../base/errors.ts";

/** What one layer may become when it is unpacked. */
export interface LayerLimits {
  /** Sizes of all files together, holes included. */
  unpacked_bytes: number;
  /** Unpacked over compressed size, judged only beyond `ratioFrom_bytes`: small layers of zeros are common and harmless. */
  ratio: number;
  ratioFrom_bytes: number;
  entries: number;
}

export const defaultLayerLimits: LayerLimits = {
  unpacked_bytes: 256 * 2 ** 30,
  ratio: 200,
  ratioFrom_bytes: 2 ** 30,
  entries: 4_000_000,
};

/** Throws `invalid` as soon as a layer has unpacked to more than it may. */
export class LayerBounds {
  readonly #limits: LayerLimits;
  #compressed = 0;
  #stream = 0;
  #files = 0;
  #entries = 0;

  constructor(limits: LayerLimits) {
    this.#limits = limits;
  }

  get compressed_bytes(): number {
    return this.#compressed;
  }

  addCompressed(length: number): void {
    this.#compressed += length;
  }

  /** Bytes of the tar stream. */
  addStream(length: number): void {
    this.#stream += length;
    const { ratio, ratioFrom_bytes, unpacked_bytes } = this.#limits;
    if (this.#stream > ratioFrom_bytes && this.#stream > this.#compressed * ratio) {
      throw bomb(`${this.#compressed} compressed bytes became ${this.#stream}, more than ${ratio} times as many`);
    }
    if (this.#stream > unpacked_bytes) throw bomb(`it has more than ${unpacked_bytes} bytes`);
  }

  /** A member with its apparent size: a sparse file claims more than the stream carries. */
  addEntry(size: number): void {
    this.#entries++;
    this.#files += size;
    if (this.#entries > this.#limits.entries) throw bomb(`it has more than ${this.#limits.entries} members`);
    if (this.#files > this.#limits.unpacked_bytes) throw bomb(`it has more than ${this.#limits.unpacked_bytes} bytes`);
  }
}

function bomb(what: string): BerthError {
  return new BerthError("invalid", `unpack a layer: ${what}`, {
    hint: "it looks like a decompression bomb; if the image is what you want, raise the layer limits",
  });
}
