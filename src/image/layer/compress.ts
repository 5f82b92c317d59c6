import { Readable } from "node:stream";
import { constants, createZstdCompress } from "node:zlib";
import { mediaTypes } from "../../model/image.ts";
import type { Compression } from "./decompress.ts";
import { gzip } from "./gzip.ts";

export const layerMediaTypes: Record<Compression, string> = {
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
  none: mediaTypes.ociLayer,
};

/** The same bytes in give the same bytes out. */
export async function* compress(source: AsyncIterable<Buffer>, compression: Compression): AsyncGenerator<Buffer> {
  if (compression === "gzip") yield* gzip(source);
  else if (compression === "none") yield* source;
  else {
    const input = Readable.from(source, { objectMode: false });
    const zstd = createZstdCompress({ chunkSize: 1 << 18, params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    input.on("error", thrown => zstd.destroy(thrown));
    try {
      for await (const chunk of input.pipe(zstd)) yield chunk as Buffer;
    } finally {
      input.destroy();
      zstd.destroy();
    }
  }
}
