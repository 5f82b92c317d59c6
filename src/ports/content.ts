import type { Readable } from "node:stream";
import type { Descriptor } from "../model/image.ts";

export interface CallOptions {
  signal?: AbortSignal;
}

/** A blob as stored: immutable, found by its digest alone. */
export interface BlobInfo {
  digest: string;
  size: number;
  modified_ms: number;
}

/**
 * An upload in progress. Bytes are appended; nothing is visible in the store until `commit` has verified the digest and made it durable.
 * Closing without commit keeps the bytes so far when the ingest was opened with a `ref` (a later `ingest` of that ref resumes), else drops them.
 */
export interface Ingest extends AsyncDisposable {
  readonly ref: string;
  /** Bytes received so far. */
  readonly offset: number;
  /** Appends all of `source`; throws `exhausted` on a full disk, keeping what was written. */
  append(source: Readable | AsyncIterable<Buffer>, options?: CallOptions): Promise<void>;
  /** Digest of the bytes so far: what to commit where nobody knew it before. */
  digest(): Promise<string>;
  /**
   * Throws `corrupt` when the bytes do not hash to `digest` or `size` differs; the bytes are then dropped. `deferSync` returns once others see the blob;
   * that it outlives a crash of the machine is sure only after the store's `flush`: for whoever commits many and names them afterwards.
   */
  commit(expected: { digest: string; size?: number; deferSync?: boolean }, options?: CallOptions): Promise<BlobInfo>;
  /** Drops what was received. */
  abort(): Promise<void>;
}

/** sha256 blobs on one host: shared by images, builder and registry, so that nothing is stored twice. */
export interface ContentStore {
  info(digest: string, options?: CallOptions): Promise<BlobInfo | undefined>;
  /** As `info`, and the blob counts as new: garbage collection leaves it for its grace period. For whoever found a blob and is about to name it. */
  touch(digest: string, options?: CallOptions): Promise<BlobInfo | undefined>;
  /** Throws `not_found`. `range` is inclusive-exclusive, in bytes. */
  open(digest: string, options?: CallOptions & { range?: { start: number; end?: number } }): Promise<Readable>;
  /** Whole blob in memory; throws `exhausted` above `limit_bytes` (default 8 MiB). */
  read(digest: string, options?: CallOptions & { limit_bytes?: number }): Promise<Buffer>;
  /** Host path of a blob, for programs that want a file; never written to. */
  path(digest: string): string;
  /** One writer for a ref at a time: a second one waits. An empty ref is private to this call and never resumed. */
  ingest(ref: string, options?: CallOptions): Promise<Ingest>;
  /** Waits until all that this process committed with `deferSync` is on the disk. */
  flush(options?: CallOptions): Promise<void>;
  /** Small blobs: one call. */
  put(data: Buffer, options?: CallOptions): Promise<BlobInfo>;
  delete(digest: string, options?: CallOptions): Promise<void>;
  list(options?: CallOptions): AsyncIterable<BlobInfo>;
  /** Drops what unfinished ingests left, untouched for `older_ms` and held by nobody. Returns the bytes freed. */
  collectIngests(older_ms: number, options?: CallOptions): Promise<number>;
}

/** Convenience shape used wherever a manifest's parts are walked. */
export type DescribedBlob = Descriptor & { path?: string };

/** Somebody other than the images who needs blobs or unpacked layers (a registry's repositories, a build cache): asked before anything is collected. */
export interface ContentRoots {
  used(options?: CallOptions): Promise<{ digests: Iterable<string>; diffIds: string[][] }>;
}
