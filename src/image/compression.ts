import { BerthError } from "../base/errors.ts";
import type { ContentStore } from "../ports/content.ts";
import { layerMediaTypes } from "./layer/compress.ts";
import { compressionOf } from "./layer/decompress.ts";

const magicLength = 6;
/** Other programs read these; named so that nobody has to guess what is wrong. */
const foreign: [name: string, magic: Buffer][] = [
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
  ["bzip2", Buffer.from("BZh")],
];

/** By its first bytes; throws `unsupported` for a compression that images do not have. */
export function refuseForeign(head: Buffer): void {
  const name = foreign.find(([, magic]) => head.subarray(0, magic.length).equals(magic))?.[0];
  if (name === undefined) return;
  throw new BerthError("unsupported", `the archive is compressed with ${name}`, {
    hint: `gzip, zstd and plain tar are read: decompress it first (${name} -d)`,
  });
}

/** The OCI media type of a stored layer, by its bytes. */
export async function layerMediaType(content: ContentStore, digest: string): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of await content.open(digest, { range: { start: 0, end: magicLength } })) {
    parts.push(part as Buffer);
  }
  const head = Buffer.concat(parts);
  refuseForeign(head);
  return layerMediaTypes[compressionOf(head)];
}
