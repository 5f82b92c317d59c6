import { closeSync, openSync, readSync } from "node:fs";
import { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import { encodeEntry, tarEnd, tarPadding } from "../../image/layer/tar-encode.ts";
import { fromText } from "../../image/layer/tar-entry.ts";
import { contentSize, type LayerEntry } from "./layer-entry.ts";

const chunk_bytes = 256 << 10;
const noXattrs = new Map<string, Buffer>();

function header(entry: LayerEntry): Buffer {
  return encodeEntry({
    type: entry.type,
    path: fromText(entry.path),
    link: fromText(entry.linkName ?? ""),
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.type === "file" ? contentSize(entry.content) : 0,
    mtime: { seconds: entry.mtime_s, nanoseconds: 0 },
    major: entry.device?.major ?? 0,
    minor: entry.device?.minor ?? 0,
    xattrs: entry.xattrs ?? noXattrs,
  });
}

function* fileBytes(entry: LayerEntry): Generator<Buffer> {
  const { content } = entry;
  if (!content) return;
  if ("data" in content) {
    yield content.data;
    return;
  }
  const fd = openSync(content.hostPath, "r");
  try {
    let at = content.start ?? 0;
    const end = at + content.size;
    while (at < end) {
      const buffer = Buffer.allocUnsafe(Math.min(chunk_bytes, end - at));
      const read = readSync(fd, buffer, 0, buffer.length, at);
      if (read === 0) {
        throw new BerthError("conflict", `copying ${entry.path}: the file became shorter while it was read`, {
          hint: "build again when nothing writes to it",
        });
      }
      at += read;
      yield buffer.subarray(0, read);
    }
  } finally {
    closeSync(fd);
  }
}

function* pieces(entries: readonly LayerEntry[]): Generator<Buffer> {
  for (const entry of entries) {
    yield header(entry);
    if (entry.type !== "file") continue;
    yield* fileBytes(entry);
    yield tarPadding(contentSize(entry.content));
  }
  yield tarEnd;
}

/** Small pieces joined, so that whoever reads is not woken for every header. */
function* chunks(entries: readonly LayerEntry[]): Generator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  for (const piece of pieces(entries)) {
    if (piece.length === 0) continue;
    held.push(piece);
    size += piece.length;
    if (size < chunk_bytes) continue;
    yield Buffer.concat(held);
    held = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(held);
}

/** A layer's tar. Files are read while the stream is. */
export function tarStream(entries: readonly LayerEntry[]): Readable {
  return Readable.from(chunks(entries), { objectMode: false });
}
