import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { BerthError } from "../base/errors.ts";
import { mediaTypes } from "../model/image.ts";
import type { ContentStore } from "../ports/content.ts";
import type { LayerStore } from "../ports/layers.ts";

/** Layers as chains of diff ids with sizes and no files, for tests of whoever stands on layers without mounting any. */
export class MemoryLayers implements LayerStore {
  readonly #content: ContentStore;
  readonly unpacked = new Map<string, number>();

  constructor(content: ContentStore) {
    this.#content = content;
  }

  async unpack(layers: Parameters<LayerStore["unpack"]>[0]): Promise<void> {
    for (const [index, { blob, diffId }] of layers.entries()) {
      const key = keyOf(layers.slice(0, index + 1).map(layer => layer.diffId));
      if (this.unpacked.has(key)) continue;
      const plain = decompress(await this.#content.read(blob.digest, { limit_bytes: 1e9 }));
      if (digest(plain) !== diffId)
        throw new BerthError("corrupt", `unpacking ${blob.digest}: its diff id is not ${diffId}`);
      this.unpacked.set(key, plain.length);
    }
  }

  async sizes(diffIds: string[]): Promise<number[]> {
    return diffIds.map((_, index) => {
      const size = this.unpacked.get(keyOf(diffIds.slice(0, index + 1)));
      if (size === undefined) throw new BerthError("not_found", `layer ${diffIds[index]} is not unpacked`);
      return size;
    });
  }

  async ingest(tar: Readable, { parent = [], compression = "gzip" }: Parameters<LayerStore["ingest"]>[1] = {}) {
    const parts: Buffer[] = [];
    for await (const part of tar) parts.push(part as Buffer);
    const plain = decompress(Buffer.concat(parts));
    const diffId = digest(plain);
    const info = await this.#content.put(compression === "gzip" ? gzipSync(plain) : plain);
    this.unpacked.set(keyOf([...parent, diffId]), plain.length);
    const mediaType = compression === "gzip" ? mediaTypes.ociLayerGzip : mediaTypes.ociLayer;
    return { blob: { mediaType, digest: info.digest, size: info.size }, diffId };
  }

  async collect(used: string[][], { only }: Parameters<LayerStore["collect"]>[1] = {}): Promise<number> {
    const prefixes = (chains: string[][]) =>
      new Set(chains.flatMap(chain => chain.map((_, index) => keyOf(chain.slice(0, index + 1)))));
    const kept = prefixes(used);
    const candidates = only === undefined ? new Set(this.unpacked.keys()) : prefixes(only);
    let freed = 0;
    for (const key of candidates) {
      if (kept.has(key)) continue;
      freed += this.unpacked.get(key) ?? 0;
      this.unpacked.delete(key);
    }
    return freed;
  }

  roots = async (): Promise<string[]> => [];
  createRoot = noRoots;
  mount = noRoots;
  unmount = noRoots;
  removeRoot = noRoots;
  view = noRoots;
  changes = noRoots;
  changesSize = noRoots;
  diff = noRoots;
  commit = noRoots;
}

async function noRoots(): Promise<never> {
  throw new BerthError("unsupported", "layers in memory have no roots");
}

const keyOf = (diffIds: string[]) => diffIds.join(" ");
const digest = (data: Buffer) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

function decompress(data: Buffer): Buffer {
  if (data[0] === 0x1f && data[1] === 0x8b) return gunzipSync(data);
  return data.subarray(0, 4).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])) ? zstdDecompressSync(data) : data;
}
