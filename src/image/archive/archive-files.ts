import { posix } from "node:path";
import { pipeline, Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import { asBerthError, BerthError } from "../../base/errors.ts";
import type { CallOptions, ContentStore } from "../../ports/content.ts";
import type { ProgressSink } from "../../ports/images.ts";
import { refuseForeign } from "../compression.ts";
import { digestOf } from "../digest.ts";
import { decompress } from "../layer/decompress.ts";

const entryLimit = 100_000;
/** Manifests, configurations and legacy metadata stay in memory; what is larger goes to the content store as it comes. */
const smallFile_bytes = 512 * 1024;
const smallTotal_bytes = 128 * 1024 * 1024;

interface StoredFile {
  digest: string;
  size: number;
  /** Only of small files. */
  data?: Buffer;
}

/** The files of an image archive by their names in it. Nothing is ever written under those names. */
export class ArchiveFiles {
  readonly #files = new Map<string, StoredFile>();
  readonly #links = new Map<string, string>();
  readonly #content: ContentStore;

  private constructor(content: ContentStore) {
    this.#content = content;
  }

  /** Reads the whole stream, compressed or not. Throws `corrupt` where it is no tar or ends early. */
  static async read(
    archive: Readable,
    content: ContentStore,
    options: CallOptions & { onProgress?: ProgressSink } = {},
  ): Promise<ArchiveFiles> {
    const files = new ArchiveFiles(content);
    const unpacker = extract();
    const plain = Readable.from(decompress(checked(archive)), { objectMode: false });
    const stop = () => plain.destroy(options.signal?.reason);
    options.signal?.addEventListener("abort", stop, { once: true });
    try {
      const fed = finished(pipeline(plain, unpacker, () => {}));
      fed.catch(() => {});
      let count = 0;
      let small_bytes = 0;
      for await (const entry of unpacker) {
        if (++count > entryLimit)
          throw new BerthError("corrupt", `reading the archive: more than ${entryLimit} entries`);
        // The library's types leave open what an entry yields: buffers.
        small_bytes += await files.#take(entry.header, entry as AsyncIterable<Buffer>, options);
        if (small_bytes > smallTotal_bytes) throw new BerthError("exhausted", "reading the archive: too much metadata");
        entry.resume();
      }
      options.signal?.throwIfAborted();
      if (count === 0) throw new BerthError("corrupt", "reading the archive: it is empty");
      return files;
    } catch (thrown) {
      options.signal?.throwIfAborted();
      throw readable(thrown);
    } finally {
      options.signal?.removeEventListener("abort", stop);
      archive.destroy();
    }
  }

  /** Returns the bytes kept in memory. */
  async #take(
    header: Header,
    body: AsyncIterable<Buffer>,
    { signal, onProgress }: CallOptions & { onProgress?: ProgressSink },
  ): Promise<number> {
    const name = inArchive(header.name);
    if (header.type === "symlink" || header.type === "link") {
      // docker save before 25 stores a layer that occurs twice as a symlink to the first.
      const base = header.type === "symlink" ? posix.dirname(name) : ".";
      this.#links.set(name, inArchive(posix.join(base, header.linkname ?? "")));
      return 0;
    }
    if (header.type !== "file" && header.type !== "contiguous-file") return 0;
    const size = header.size ?? 0;
    if (size <= smallFile_bytes) {
      const parts: Buffer[] = [];
      for await (const part of body) parts.push(part);
      const data = Buffer.concat(parts);
      this.#files.set(name, { digest: digestOf(data), size: data.length, data });
      return data.length;
    }
    onProgress?.({ id: shortName(name), status: "Loading layer", current: 0, total: size });
    await using ingest = await this.#content.ingest("", { signal });
    await ingest.append(body, { signal });
    const digest = await ingest.digest();
    await ingest.commit({ digest, size, deferSync: true }, { signal });
    onProgress?.({ id: shortName(name), status: "Loading layer", current: size, total: size });
    this.#files.set(name, { digest, size });
    return 0;
  }

  has(name: string): boolean {
    return this.#resolve(name) !== undefined;
  }

  names(): string[] {
    return [...this.#files.keys()];
  }

  /** A small file's bytes. Throws `corrupt` where it is missing. */
  async read(name: string): Promise<Buffer> {
    const file = this.#require(name);
    return file.data ?? (await this.#content.read(file.digest));
  }

  /** The file as a blob of the content store. */
  async blob(name: string, options: CallOptions = {}): Promise<{ digest: string; size: number }> {
    const file = this.#require(name);
    if (file.data !== undefined) await this.#content.put(file.data, options);
    return { digest: file.digest, size: file.size };
  }

  #require(name: string): StoredFile {
    const file = this.#resolve(name);
    if (file === undefined)
      throw new BerthError("corrupt", `reading the archive: ${JSON.stringify(name)} is missing in it`);
    return file;
  }

  #resolve(name: string): StoredFile | undefined {
    let current = inArchive(name);
    for (let step = 0; step < 10; step++) {
      const target = this.#links.get(current);
      if (target === undefined) return this.#files.get(current);
      current = target;
    }
    return undefined;
  }
}

async function* checked(archive: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of archive) {
    if (isFirst) refuseForeign(chunk);
    isFirst = false;
    yield chunk;
  }
}

/** One spelling for each place; what would lie outside of the archive is no place in it. */
function inArchive(name: string): string {
  const path = posix.normalize(`/${name}`).slice(1);
  return path.replace(/\/+$/, "");
}

function shortName(name: string): string {
  return (/[a-f0-9]{64}/.exec(name)?.[0] ?? posix.basename(name)).slice(0, 12);
}

function readable(thrown: unknown): BerthError {
  if (thrown instanceof BerthError) return thrown;
  const error = asBerthError(thrown);
  if (error.code !== "internal") return error;
  return new BerthError("corrupt", `reading the archive: ${error.message}`, {
    cause: thrown,
    hint: "it must be a whole tar file as docker save, podman save or skopeo write it, plain or compressed with gzip or zstd",
  });
}
