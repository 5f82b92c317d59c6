import { RegistryError } from "./registry-error.ts";

/** `Range: bytes=a-b` of a blob (RFC 9110, 14.1.2), one range only; undefined for none. `end` is exclusive. */
export function parseByteRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=(\d*)-(\d*)$/.exec(header);
  if (match === null || (match[1] === "" && match[2] === "")) return undefined; // a server may ignore what it does not understand
  const start = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? size : Math.min(size, Number(match[2]) + 1);
  if (start >= size || end <= start)
    throw new RegistryError("RANGE_INVALID", `range ${header} of a blob of ${size} bytes`, {
      headers: { "Content-Range": `bytes */${size}` },
    });
  return { start, end };
}

/** `Content-Range: a-b` of an upload's chunk: where it begins. docker sends none. */
export function parseChunkStart(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const match = /^(?:bytes )?(\d+)-(\d+)(?:\/\S+)?$/.exec(header);
  if (match === null)
    throw new RegistryError("BLOB_UPLOAD_INVALID", `Content-Range "${header}" is not START-END`, { status: 400 });
  return Number(match[1]);
}
