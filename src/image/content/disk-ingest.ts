import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { asBerthError, assert, BerthError } from "../../base/errors.ts";
import type { BlobInfo, CallOptions, Ingest } from "../../ports/content.ts";
import type { Lock } from "../../ports/locks.ts";
import { digestHex } from "../digest.ts";

/** Written while the next batch is being received: large enough that system calls do not count, small enough for many downloads at once. */
const batch_bytes = 1024 * 1024;
/** Pushed to the disk while the download goes on, so that the final sync has little left to do. */
const sync_bytes = 32 * 1024 * 1024;

interface DiskIngestOptions {
  ref: string;
  dataPath: string;
  lockPath: string;
  lock: Lock;
  keepOnClose: boolean;
  /** Directory of the finished blobs, on the same file system. */
  blobs: string;
  touch(digest: string): Promise<BlobInfo | undefined>;
  /** Takes over a sync still going on. */
  defer(persisted: Promise<void>): void;
}

/** One file being received, hashed on the way in. Holds the lock of its ref until disposed. */
export class DiskIngest implements Ingest {
  readonly #options: DiskIngestOptions;
  readonly #file: FileHandle;
  #offset = 0;
  /** Undefined when the file may hold other bytes than were hashed (a failed write, a resumed ingest): then the file is read again. */
  #hash: Hash | undefined;
  #syncing: Promise<unknown> = Promise.resolve();
  #unsynced_bytes = 0;
  #closed = false;
  #finished = false;

  private constructor(options: DiskIngestOptions, file: FileHandle) {
    this.#options = options;
    this.#file = file;
  }

  /** Takes the lock over: the ingest releases it. */
  static async open(options: DiskIngestOptions): Promise<DiskIngest> {
    await mkdir(dirname(options.dataPath), { recursive: true });
    const file = await open(options.dataPath, "a+", 0o600);
    const ingest = new DiskIngest(options, file);
    ingest.#offset = (await file.stat()).size;
    if (ingest.#offset === 0) ingest.#hash = createHash("sha256");
    return ingest;
  }

  get ref(): string {
    return this.#options.ref;
  }

  get offset(): number {
    return this.#offset;
  }

  async append(source: Readable | AsyncIterable<Buffer>, { signal }: CallOptions = {}): Promise<void> {
    assert(!this.#closed, `append to the closed ingest ${this.ref}`);
    const hash = await this.#currentHash();
    const destroy = () => source instanceof Readable && source.destroy(signal?.reason);
    signal?.addEventListener("abort", destroy, { once: true });
    let batch: Buffer[] = [];
    let size_bytes = 0;
    let writing: Promise<void> = Promise.resolve();
    const flush = async () => {
      await writing;
      writing = this.#write(batch, size_bytes);
      writing.catch(() => {});
      batch = [];
      size_bytes = 0;
    };
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        signal?.throwIfAborted();
        hash.update(chunk);
        batch.push(chunk);
        size_bytes += chunk.length;
        if (size_bytes >= batch_bytes) await flush();
      }
    } finally {
      signal?.removeEventListener("abort", destroy);
      // Also after a failure of the source: what did arrive need not be fetched again.
      await flush();
      await writing;
    }
  }

  async #write(batch: Buffer[], size_bytes: number): Promise<void> {
    if (size_bytes === 0) return;
    try {
      let rest = batch;
      for (let left_bytes = size_bytes; left_bytes > 0; ) {
        const { bytesWritten } = await this.#file.writev(rest);
        this.#offset += bytesWritten;
        left_bytes -= bytesWritten;
        if (left_bytes > 0) rest = afterBytes(rest, bytesWritten);
      }
    } catch (thrown) {
      this.#hash = undefined;
      throw asBerthError(thrown);
    }
    this.#unsynced_bytes += size_bytes;
    if (this.#unsynced_bytes >= sync_bytes) {
      this.#unsynced_bytes = 0;
      this.#syncing = this.#syncing.then(() => this.#file.datasync());
      this.#syncing.catch(() => {});
    }
  }

  /** The hash of all bytes so far, read back from the file where they were not all seen. */
  async #currentHash(): Promise<Hash> {
    if (this.#hash !== undefined) return this.#hash;
    const hash = createHash("sha256");
    const buffer = Buffer.allocUnsafe(batch_bytes);
    let position = 0;
    for (;;) {
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    this.#offset = position;
    this.#hash = hash;
    return hash;
  }

  async digest(): Promise<string> {
    return `sha256:${(await this.#currentHash()).copy().digest("hex")}`;
  }

  async commit(
    expected: { digest: string; size?: number; deferSync?: boolean },
    { signal }: CallOptions = {},
  ): Promise<BlobInfo> {
    signal?.throwIfAborted();
    const hex = digestHex(expected.digest);
    const actual = await this.digest();
    if (actual !== expected.digest || (expected.size !== undefined && expected.size !== this.#offset)) {
      const found = `${this.#offset} bytes with ${actual}`;
      await this.abort();
      throw new BerthError("corrupt", `storing blob ${expected.digest} (${expected.size ?? "?"} bytes): got ${found}`, {
        hint: "the sender or the connection changed the data; nothing was kept, try again or use another source",
      });
    }
    const existing = await this.#options.touch(expected.digest);
    if (existing !== undefined) {
      await this.abort();
      return existing;
    }
    try {
      await this.#file.chmod(0o400);
      const persist = () => this.#syncing.then(() => this.#file.datasync());
      if (!expected.deferSync) await persist();
      await rename(this.#options.dataPath, join(this.#options.blobs, hex));
      if (expected.deferSync) this.#options.defer(this.#closeAfter(persist()));
      else await syncDirectory(this.#options.blobs);
    } catch (thrown) {
      throw asBerthError(thrown);
    }
    await this.#finish(expected.deferSync);
    const modified_ms = (await this.#options.touch(expected.digest))?.modified_ms ?? 0;
    return { digest: expected.digest, size: this.#offset, modified_ms };
  }

  async #closeAfter(persisted: Promise<void>): Promise<void> {
    try {
      await persisted;
    } finally {
      await this.#file.close();
    }
  }

  async abort(): Promise<void> {
    if (this.#finished) return;
    await rm(this.#options.dataPath, { force: true });
    await this.#finish();
  }

  /** The lock's file goes while the lock is held: whoever waits for it notices and makes a new one. */
  async #finish(fileStaysOpen = false): Promise<void> {
    this.#finished = true;
    await rm(this.#options.lockPath, { force: true });
    await this.#close(fileStaysOpen);
  }

  async #close(fileStaysOpen = false): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!fileStaysOpen) {
      await this.#syncing.catch(() => {});
      await this.#file.close();
    }
    await this.#options.lock[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#finished && (!this.#options.keepOnClose || this.#offset === 0)) return this.abort();
    await this.#close();
  }
}

function afterBytes(buffers: Buffer[], count: number): Buffer[] {
  let skip = count;
  for (const [index, buffer] of buffers.entries()) {
    if (skip < buffer.length) return [buffer.subarray(skip), ...buffers.slice(index + 1)];
    skip -= buffer.length;
  }
  return [];
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
