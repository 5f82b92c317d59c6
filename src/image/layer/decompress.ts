import { Readable, type Transform } from "node:stream";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { BerthError } from "../../base/errors.ts";

export type Compression = "gzip" | "zstd" | "none";

/** Output is taken in pieces of this size: fewer turns of the event loop, at little memory. */
const chunkSize = 1 << 18;

/** By the first bytes of a stream (RFC 1952 2.3.1; RFC 8878 3.1.1), at least four unless it is shorter. Media types lie, magic numbers do not. */
export function compressionOf(start: Buffer): Compression {
  if (start.length >= 2 && start.readUInt16BE(0) === 0x1f8b) return "gzip";
  if (start.length >= 4 && start.readUInt32LE(0) === 0xfd2fb528) return "zstd";
  // A skippable zstd frame may come first.
  if (start.length >= 4 && (start.readUInt32LE(0) & 0xfffffff0) >>> 0 === 0x184d2a50) return "zstd";
  return "none";
}

/** The stream with its first bytes looked at but not taken away. */
export async function peekCompression(
  source: AsyncIterable<Buffer>,
): Promise<{ compression: Compression; source: AsyncGenerator<Buffer> }> {
  const chunks = source[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  while (start.length < 4) {
    const next = await chunks.next();
    if (next.done) break;
    start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    try {
      if (start.length > 0) yield start;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }
  return { compression: compressionOf(start), source: whole() };
}

/** The stream decompressed, whatever it is compressed with. Throws `corrupt` when it is damaged or cut short. */
export async function* decompress(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const peeked = await peekCompression(source);
  if (peeked.compression === "none") {
    yield* peeked.source;
    return;
  }
  const input = Readable.from(peeked.source, { objectMode: false, highWaterMark: chunkSize });
  const inflate: Transform =
    peeked.compression === "gzip"
      ? createGunzip({ chunkSize })
      : createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: 27 } });
  let failure: unknown;
  input.on("error", thrown => {
    failure = thrown;
    inflate.destroy(thrown);
  });
  try {
    for await (const chunk of input.pipe(inflate)) yield chunk as Buffer;
  } catch (thrown) {
    if (failure !== undefined || !isZlibError(thrown)) throw failure ?? thrown;
    throw new BerthError("corrupt", `decompress ${peeked.compression} data: ${thrown.message}`, {
      cause: thrown,
      hint: "the data is damaged or was cut short; fetch it again",
    });
  } finally {
    input.destroy();
    inflate.destroy();
  }
}

function isZlibError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && /^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD)/.test((thrown as NodeJS.ErrnoException).code ?? "");
}
