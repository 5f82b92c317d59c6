import { closeSync, createReadStream, openSync, readSync, writeSync } from "node:fs";
import { BerthError, isCode } from "../../base/errors.ts";
import { decompress } from "../../image/layer/decompress.ts";
import { type TarEntry, type TarSink, toText } from "../../image/layer/tar-entry.ts";
import { TarParser } from "../../image/layer/tar-parser.ts";
import type { SourceFetcher } from "../../ports/build.ts";
import { cleanPath } from "../match/ignore.ts";
import type { LayerEntry } from "./layer-entry.ts";

export type ArchiveFormat = "tar" | "gzip" | "zstd" | "xz" | "bzip2";

const entryLimit = 1_000_000;
const magics: [ArchiveFormat, Buffer][] = [
  ["gzip", Buffer.from([0x1f, 0x8b, 0x08])],
  ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ["bzip2", Buffer.from("BZh")],
];

/** What a file's first bytes say; a compressed file need not hold a tar. */
export function archiveFormat(path: string): ArchiveFormat | undefined {
  const head = Buffer.alloc(512);
  const fd = openSync(path, "r");
  try {
    const read = readSync(fd, head, 0, 512, 0);
    const compressed = magics.find(([, magic]) => head.subarray(0, magic.length).equals(magic));
    if (compressed) return compressed[0];
    return read === 512 && isTarHeader(head) ? "tar" : undefined;
  } finally {
    closeSync(fd);
  }
}

/** The checksum of the first header decides (POSIX ustar); old tars have no magic. */
function isTarHeader(block: Buffer): boolean {
  const stored = Number.parseInt(block.toString("latin1", 148, 156), 8);
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : block[i]!;
  return block[0] !== 0 && sum === stored;
}

/** Collects entries and appends the bytes of files to a spool. */
class SpoolSink implements TarSink {
  readonly entries: LayerEntry[] = [];
  readonly #archive: string;
  readonly #spoolPath: string;
  readonly #spool: number;
  #at: number;

  constructor(archive: string, spoolPath: string, spool: number, at: number) {
    this.#archive = archive;
    this.#spoolPath = spoolPath;
    this.#spool = spool;
    this.#at = at;
  }

  entry(member: TarEntry): void {
    const name = toText(member.path);
    if (name.split("/").includes("..")) {
      throw new BerthError(
        "invalid",
        `unpacking ${this.#archive}: the name ${JSON.stringify(name)} leads out of the archive`,
      );
    }
    if (this.entries.length >= entryLimit) {
      throw new BerthError("exhausted", `unpacking ${this.#archive}: more than ${entryLimit} entries`);
    }
    const { type, mode, uid, gid, mtime, major, minor, xattrs, size } = member;
    const link = toText(member.link);
    const entry: LayerEntry = {
      path: cleanPath(name),
      type,
      mode,
      uid,
      gid,
      mtime_s: Math.max(0, mtime.seconds),
      xattrs,
    };
    if (type === "symlink") entry.linkName = link;
    if (type === "hardlink") entry.linkName = cleanPath(link);
    if (type === "char" || type === "block") entry.device = { major, minor };
    if (type === "file") entry.content = { hostPath: this.#spoolPath, start: this.#at, size };
    this.#at += type === "file" ? size : 0;
    this.entries.push(entry);
  }

  data(chunk: Buffer, offset: number): void {
    const content = this.entries.at(-1)?.content;
    if (content && !("data" in content)) writeSync(this.#spool, chunk, 0, chunk.length, (content.start ?? 0) + offset);
  }

  end(): void {
    // The sizes were known from the headers.
  }
}

/**
 * All entries of a tar file; the bytes of its files go to `spoolPath` (made, or emptied). Undefined when it holds no tar but is a lone compressed file;
 * throws `corrupt` when it is one and breaks off.
 */
export async function readArchive(
  input: { path: string; name: string; format: ArchiveFormat; spoolPath: string },
  fetcher: SourceFetcher,
  signal: AbortSignal,
): Promise<LayerEntry[] | undefined> {
  const { path, format, spoolPath } = input;
  const spool = openSync(spoolPath, "w", 0o600);
  const sink = new SpoolSink(input.name, spoolPath, spool, 0);
  const parser = new TarParser(sink);
  const file = createReadStream(path, { highWaterMark: 256 << 10 });
  try {
    const isForeign = format === "xz" || format === "bzip2";
    const plain = isForeign ? await fetcher.decompress(format, file, { signal }) : decompress(file);
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      parser.push(chunk);
    }
    parser.finish();
    return sink.entries;
  } catch (thrown) {
    signal.throwIfAborted();
    const isDamaged = isCode(thrown, "corrupt", "invalid");
    if (isDamaged && sink.entries.length === 0 && format !== "tar") return undefined;
    throw thrown;
  } finally {
    closeSync(spool);
    file.destroy();
  }
}
