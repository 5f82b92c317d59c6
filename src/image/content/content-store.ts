import { createReadStream } from "node:fs";
import { mkdir, opendir, readdir, rm, stat, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import { asBerthError, BerthError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import type { BlobInfo, CallOptions, ContentStore, Ingest } from "../../ports/content.ts";
import type { Locks } from "../../ports/locks.ts";
import { isMissing } from "../atomic-file.ts";
import { digestHex, digestOf } from "../digest.ts";
import { DiskIngest, syncDirectory } from "./disk-ingest.ts";

const readLimit_bytes = 8 * 1024 * 1024;
/** Fewer, larger reads: blobs are read front to back. */
const readChunk_bytes = 512 * 1024;

export interface DiskContentStoreOptions {
  /** Holds blobs/sha256/<hex> (as an OCI image layout does) and ingest/. */
  root: string;
  locks: Locks;
  clock: Clock;
}

/** Blobs as files named by their digest. All state is in the file system, so that any number of processes share it. */
export class DiskContentStore implements ContentStore {
  readonly #blobs: string;
  readonly #ingests: string;
  readonly #locks: Locks;
  readonly #clock: Clock;
  readonly #unsynced = new Set<Promise<void>>();
  #directoryUnsynced = false;
  #prepared: Promise<unknown> | undefined;

  constructor({ root, locks, clock }: DiskContentStoreOptions) {
    this.#blobs = join(root, "blobs", "sha256");
    this.#ingests = join(root, "ingest");
    this.#locks = locks;
    this.#clock = clock;
  }

  path(digest: string): string {
    return join(this.#blobs, digestHex(digest));
  }

  async info(digest: string, { signal }: CallOptions = {}): Promise<BlobInfo | undefined> {
    signal?.throwIfAborted();
    try {
      const found = await stat(this.path(digest));
      return { digest, size: found.size, modified_ms: found.mtimeMs };
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw thrown;
    }
  }

  async touch(digest: string, { signal }: CallOptions = {}): Promise<BlobInfo | undefined> {
    signal?.throwIfAborted();
    const now_s = this.#clock.now_ms() / 1000;
    try {
      await utimes(this.path(digest), now_s, now_s);
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw thrown;
    }
    return this.info(digest);
  }

  async open(
    digest: string,
    { signal, range }: CallOptions & { range?: { start: number; end?: number } } = {},
  ): Promise<Readable> {
    const info = await this.info(digest, { signal });
    if (info === undefined) throw missingBlob(digest);
    const end = Math.min(range?.end ?? info.size, info.size);
    const start = range?.start ?? 0;
    if (start >= end) return createReadStream("/dev/null");
    return createReadStream(this.path(digest), { start, end: end - 1, highWaterMark: readChunk_bytes, signal });
  }

  async read(digest: string, options: CallOptions & { limit_bytes?: number } = {}): Promise<Buffer> {
    const limit_bytes = options.limit_bytes ?? readLimit_bytes;
    const info = await this.info(digest, options);
    if (info === undefined) throw missingBlob(digest);
    if (info.size > limit_bytes) {
      throw new BerthError(
        "exhausted",
        `reading blob ${digest}: its ${info.size} bytes exceed the limit of ${limit_bytes}`,
      );
    }
    const parts: Buffer[] = [];
    for await (const part of await this.open(digest, options)) parts.push(part as Buffer);
    return Buffer.concat(parts);
  }

  async ingest(ref: string, { signal }: CallOptions = {}): Promise<Ingest> {
    await this.#prepare();
    const isAnonymous = ref === "";
    const key = isAnonymous ? newId() : digestHex(digestOf(ref));
    const lockPath = join(this.#ingests, `${key}.lock`);
    const lock = await this.#locks.acquire(lockPath, { signal });
    try {
      return await DiskIngest.open({
        ref,
        dataPath: join(this.#ingests, `${key}.data`),
        lockPath,
        lock,
        keepOnClose: !isAnonymous,
        blobs: this.#blobs,
        touch: digest => this.touch(digest),
        defer: persisted => this.#track(persisted),
      });
    } catch (thrown) {
      await lock[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  async flush({ signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#directoryUnsynced) return;
    this.#directoryUnsynced = false;
    const waited = [...this.#unsynced];
    try {
      await Promise.all(waited);
    } catch (thrown) {
      throw asBerthError(thrown);
    } finally {
      for (const persisted of waited) this.#unsynced.delete(persisted);
    }
    await syncDirectory(this.#blobs);
  }

  /** A failure is kept until a flush has seen it. */
  #track(persisted: Promise<void>): void {
    this.#directoryUnsynced = true;
    this.#unsynced.add(persisted);
    persisted.then(
      () => this.#unsynced.delete(persisted),
      () => {},
    );
  }

  async put(data: Buffer, { signal }: CallOptions = {}): Promise<BlobInfo> {
    const digest = digestOf(data);
    const existing = await this.touch(digest, { signal });
    if (existing !== undefined) return existing;
    await using ingest = await this.ingest("", { signal });
    await ingest.append(oneChunk(data), { signal });
    return await ingest.commit({ digest, size: data.length }, { signal });
  }

  async delete(digest: string, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    try {
      await unlink(this.path(digest));
    } catch (thrown) {
      if (!isMissing(thrown)) throw thrown;
    }
  }

  async *list({ signal }: CallOptions = {}): AsyncIterable<BlobInfo> {
    await this.#prepare();
    for await (const entry of await opendir(this.#blobs)) {
      signal?.throwIfAborted();
      if (!/^[a-f0-9]{64}$/.test(entry.name)) continue;
      const info = await this.info(`sha256:${entry.name}`);
      if (info !== undefined) yield info;
    }
  }

  async collectIngests(older_ms: number, { signal }: CallOptions = {}): Promise<number> {
    await this.#prepare();
    const oldest_ms = this.#clock.now_ms() - older_ms;
    const keys = new Set((await readdir(this.#ingests)).map(name => name.replace(/\.(data|lock)$/, "")));
    let freed_bytes = 0;
    for (const key of keys) {
      signal?.throwIfAborted();
      const paths = [join(this.#ingests, `${key}.data`), join(this.#ingests, `${key}.lock`)];
      const found = (await Promise.all(paths.map(statIfThere))).filter(item => item !== undefined);
      if (found.some(item => item.mtimeMs > oldest_ms)) continue;
      const lock = this.#locks.tryAcquire(paths[1]!);
      if (lock === undefined) continue;
      for (const path of paths) await rm(path, { force: true });
      await lock[Symbol.asyncDispose]();
      freed_bytes += found.reduce((sum, item) => sum + item.size, 0);
    }
    return freed_bytes;
  }

  #prepare(): Promise<unknown> {
    this.#prepared ??= Promise.all(
      [this.#blobs, this.#ingests].map(path => mkdir(path, { recursive: true, mode: 0o700 })),
    );
    return this.#prepared;
  }
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

async function* oneChunk(data: Buffer): AsyncIterable<Buffer> {
  yield data;
}

function missingBlob(digest: string): BerthError {
  return new BerthError("not_found", `reading blob ${digest}: it is not in the content store`, {
    hint: "pull or load the image that contains it again",
  });
}
