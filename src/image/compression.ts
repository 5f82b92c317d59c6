import type { Readable } from "node:stream";
import { PassThrough, pipeline } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { BerthError } from "../base/errors.ts";
import { mediaTypes } from "../model/image.ts";
import type { ContentStore } from "../ports/content.ts";

export type Compression = "gzip" | "zstd" | "none";

const magics: { name: string; bytes: Buffer }[] = [
  { name: "gzip", bytes: Buffer.from([0x1f, 0x8b]) },
  { name: "zstd", bytes: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) },
  { name: "xz", bytes: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]) },
  { name: "bzip2", bytes: Buffer.from("BZh") },
];
export const magicLength = 6;

/** What the first bytes say. Throws `unsupported` for xz and bzip2. */
export function detectCompression(head: Buffer): Compression {
  const name = magics.find(({ bytes }) => head.subarray(0, bytes.length).equals(bytes))?.name ?? "none";
  if (name === "xz" || name === "bzip2") {
    throw new BerthError("unsupported", `the archive is compressed with ${name}`, {
      hint: `gzip, zstd and plain tar are read: decompress it first (${name} -d)`,
    });
  }
  return name as Compression;
}

/** The plain bytes of a stream that may be compressed. Errors of `source` come out of the result. */
export async function decompressed(source: Readable): Promise<Readable> {
  const head = await peek(source, magicLength);
  const kind = detectCompression(head);
  const target =
    kind === "gzip"
      ? createGunzip({ chunkSize: 256 * 1024 })
      : kind === "zstd"
        ? createZstdDecompress()
        : new PassThrough();
  pipeline(source, target, () => {}); // the error also reaches the reader of `target`, which pipeline destroys with it
  return target;
}

/** The first bytes, left in the stream. Fewer where it ends before. */
async function peek(source: Readable, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  while (size < length) {
    await readable(source);
    const part: Buffer | null = source.read();
    if (part === null) break;
    parts.push(part);
    size += part.length;
  }
  const head = Buffer.concat(parts);
  if (head.length > 0) source.unshift(head);
  return head;
}

function readable(source: Readable): Promise<void> {
  if (source.readableLength > 0 || source.readableEnded || source.destroyed) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      for (const name of ["readable", "end", "close"]) source.off(name, finish);
      source.off("error", done);
      if (error) reject(error);
      else resolve();
    };
    const finish = () => done();
    for (const name of ["readable", "end", "close"]) source.once(name, finish);
    source.once("error", done);
  });
}

/** The OCI media type of a stored layer, by its bytes. */
export async function layerMediaType(content: ContentStore, digest: string): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of await content.open(digest, { range: { start: 0, end: magicLength } }))
    parts.push(part as Buffer);
  const kind = detectCompression(Buffer.concat(parts));
  return { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd, none: mediaTypes.ociLayer }[kind];
}
