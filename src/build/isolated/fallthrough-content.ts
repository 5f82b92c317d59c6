import type { Readable } from "node:stream";
import type { BlobInfo, CallOptions, ContentStore, Ingest } from "../../ports/content.ts";

/** A store of its own over one that it only reads: what both have is not written twice, and nothing that is deleted here goes there. */
export class FallthroughContent implements ContentStore {
  readonly #own: ContentStore;
  readonly #base: ContentStore;

  constructor(own: ContentStore, base: ContentStore) {
    this.#own = own;
    this.#base = base;
  }

  async #holder(digest: string, options?: CallOptions): Promise<ContentStore> {
    return (await this.#own.info(digest, options)) ? this.#own : this.#base;
  }

  async info(digest: string, options?: CallOptions): Promise<BlobInfo | undefined> {
    return (await this.#own.info(digest, options)) ?? (await this.#base.info(digest, options));
  }

  async touch(digest: string, options?: CallOptions): Promise<BlobInfo | undefined> {
    return (await this.#own.touch(digest, options)) ?? (await this.#base.touch(digest, options));
  }

  async open(digest: string, options?: Parameters<ContentStore["open"]>[1]): Promise<Readable> {
    return (await this.#holder(digest, options)).open(digest, options);
  }

  async read(digest: string, options?: Parameters<ContentStore["read"]>[1]): Promise<Buffer> {
    return (await this.#holder(digest, options)).read(digest, options);
  }

  path(digest: string): string {
    return this.#own.path(digest);
  }

  ingest(ref: string, options?: CallOptions): Promise<Ingest> {
    return this.#own.ingest(ref, options);
  }

  async put(data: Buffer, options?: CallOptions): Promise<BlobInfo> {
    return this.#own.put(data, options);
  }

  delete(digest: string, options?: CallOptions): Promise<void> {
    return this.#own.delete(digest, options);
  }

  list(options?: CallOptions): AsyncIterable<BlobInfo> {
    return this.#own.list(options);
  }

  flush(options?: CallOptions): Promise<void> {
    return this.#own.flush(options);
  }

  collectIngests(older_ms: number, options?: CallOptions): Promise<number> {
    return this.#own.collectIngests(older_ms, options);
  }
}
