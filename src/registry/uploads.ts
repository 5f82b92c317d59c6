import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import { BerthError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { BlobInfo, CallOptions, ContentStore, Ingest } from "../ports/content.ts";
import { RegistryError } from "./registry-error.ts";

/** An upload that nobody has continued for so long is forgotten. */
const abandoned_ms = 24 * 60 * 60 * 1000;

const hold_ms = 10_000;
const heldLimit = 64;

interface UploadRecord {
  repository: string;
}

/** Blobs on their way in. An upload survives the server's restart; the bytes wait in the content store's ingest of its name. */
export class Uploads implements AsyncDisposable {
  readonly #held = new Map<string, { ingest: Ingest; cancel: () => void }>();
  readonly #folder: string;
  readonly #content: ContentStore;
  readonly #clock: Clock;

  constructor(root: string, content: ContentStore, clock: Clock) {
    this.#folder = join(root, "uploads");
    this.#content = content;
    this.#clock = clock;
  }

  async start(repository: string): Promise<string> {
    const id = newId();
    await mkdir(this.#folder, { recursive: true });
    await writeFile(join(this.#folder, `.${id}`), JSON.stringify({ repository } satisfies UploadRecord));
    await rename(join(this.#folder, `.${id}`), join(this.#folder, id));
    return id;
  }

  /** Bytes received so far. */
  async offset(repository: string, id: string, options: CallOptions): Promise<number> {
    return await this.#with(repository, id, options, async ingest => ingest.offset);
  }

  /**
   * Appends a chunk; `start` is where the client says that it begins. Returns the offset reached. When the client vanishes in the middle, what came is kept
   * for it to go on from.
   */
  async append(
    repository: string,
    id: string,
    body: Readable,
    start: number | undefined,
    options: CallOptions,
  ): Promise<number> {
    return await this.#with(repository, id, options, async ingest => {
      if (start !== undefined && start !== ingest.offset) {
        throw new RegistryError(
          "BLOB_UPLOAD_INVALID",
          `the chunk starts at ${start}, and ${ingest.offset} bytes have been received`,
          {
            headers: { Range: rangeOf(ingest.offset) },
          },
        );
      }
      await ingest.append(body, options);
      return ingest.offset;
    });
  }

  /** Takes the last chunk (it may be empty) and makes the blob visible, if its digest is right; else the upload starts over. */
  async finish(
    repository: string,
    id: string,
    body: Readable,
    start: number | undefined,
    digest: string,
    options: CallOptions,
  ): Promise<BlobInfo> {
    await this.append(repository, id, body, start, options);
    try {
      return await this.#with(repository, id, options, ingest => ingest.commit({ digest }, options), false);
    } catch (thrown) {
      if (thrown instanceof BerthError && thrown.code === "corrupt")
        throw new RegistryError("DIGEST_INVALID", thrown.message);
      throw thrown;
    } finally {
      await this.#forget(id);
    }
  }

  async cancel(repository: string, id: string): Promise<void> {
    await this.#with(repository, id, {}, ingest => ingest.abort(), false);
    await this.#forget(id);
  }

  /** Gives back what is held open; uploads go on after a restart. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const [id, held] of this.#held) {
      this.#held.delete(id);
      held.cancel();
      await held.ingest[Symbol.asyncDispose]();
    }
  }

  /**
   * Opening an ingest hashes what it has so far: too much to do for each request of an upload. So it is held open for a moment between requests, as long
   * as not too many are.
   */
  async #with<T>(
    repository: string,
    id: string,
    options: CallOptions,
    work: (ingest: Ingest) => Promise<T>,
    keep = true,
  ): Promise<T> {
    await this.#check(repository, id);
    const held = this.#held.get(id);
    this.#held.delete(id);
    held?.cancel();
    const ingest = held?.ingest ?? (await this.#content.ingest(refOf(id), options));
    let done = false;
    try {
      const result = await work(ingest);
      done = true;
      return result;
    } finally {
      if (done && keep && this.#held.size < heldLimit) this.#hold(id, ingest);
      else await ingest[Symbol.asyncDispose]();
    }
  }

  #hold(id: string, ingest: Ingest): void {
    const cancel = this.#clock.after(hold_ms, () => {
      this.#held.delete(id);
      // Nobody waits for this: the bytes are written, and closing cannot lose them.
      void ingest[Symbol.asyncDispose]().then(undefined, () => undefined);
    });
    this.#held.set(id, { ingest, cancel });
  }

  /** Drops uploads that were abandoned. */
  async collect(): Promise<number> {
    let count = 0;
    for (const id of await readdir(this.#folder).catch(() => [])) {
      const path = join(this.#folder, id);
      const info = await stat(path).catch(() => undefined);
      if (info === undefined || this.#clock.now_ms() - info.mtimeMs < abandoned_ms) continue;
      if (!id.startsWith(".")) await (await this.#content.ingest(refOf(id))).abort();
      await rm(path, { force: true });
      count++;
    }
    return count;
  }

  async #check(repository: string, id: string): Promise<void> {
    const text = await readFile(join(this.#folder, id), "utf8").catch(() => undefined);
    const record = text === undefined ? undefined : (JSON.parse(text) as UploadRecord);
    if (record?.repository !== repository)
      throw new RegistryError("BLOB_UPLOAD_UNKNOWN", `there is no upload ${id} in ${repository}`);
  }

  async #forget(id: string): Promise<void> {
    await rm(join(this.#folder, id), { force: true });
  }
}

const refOf = (id: string) => `registry-upload-${id}`;

/** Docker's clients read `Range: 0-<last byte>`; nothing received yet is 0-0 by their convention. */
export const rangeOf = (offset: number) => `0-${Math.max(0, offset - 1)}`;
