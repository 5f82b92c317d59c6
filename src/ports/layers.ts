import type { Readable } from "node:stream";
import type { Descriptor } from "../model/image.ts";
import type { CallOptions } from "./content.ts";
import type { ProgressSink } from "./images.ts";

/** A writable copy-on-write root over a stack of layers: a container's root file system, or a build step's. */
export interface WritableRoot {
  id: string;
  /** Where the root is seen whole while mounted. */
  mergedPath: string;
  /** Only what was changed. */
  upperPath: string;
}

export type ChangeKind = "modified" | "added" | "deleted";

export interface Change {
  kind: ChangeKind;
  /** Absolute, as seen in the root. */
  path: string;
}

export interface CommitOptions extends CallOptions {
  /** Seconds; later modification times become this. */
  sourceDateEpoch?: number;
  /** Of the blob; default gzip. */
  compression?: "gzip" | "zstd" | "none";
  /** The root ends with the commit: its files are moved into the layer instead of copied, and the root is removed. Nothing may use it any more. */
  consume?: boolean;
}

/**
 * Unpacked layers and the writable roots over them (overlayfs). Layers are shared by chain id (OCI image-spec, config.md) and never change;
 * `layers` everywhere means descriptors lowest first with their diff ids.
 */
export interface LayerStore {
  /** Unpacks what is missing, several at once, verifying each diff id (`corrupt` otherwise). Concurrent calls share the work. */
  unpack(
    layers: { blob: Descriptor; diffId: string }[],
    options?: CallOptions & { onProgress?: ProgressSink },
  ): Promise<void>;
  /** Bytes on disk of each layer of the chain, lowest first. */
  sizes(diffIds: string[]): Promise<number[]>;
  /** Makes a root; throws `already_exists`. */
  createRoot(
    id: string,
    diffIds: string[],
    options?: CallOptions & { storageOptions?: Record<string, string> },
  ): Promise<WritableRoot>;
  /** Idempotent; after a reboot the mount is made again. */
  mount(id: string, options?: CallOptions): Promise<WritableRoot>;
  /** Idempotent. */
  unmount(id: string, options?: CallOptions): Promise<void>;
  /** Unmounts and deletes; idempotent, survives kill -9 in the middle (renames away first). */
  removeRoot(id: string, options?: CallOptions): Promise<void>;
  roots(): Promise<string[]>;
  /** Read-only view of a chain with no writable part, e.g. for --mount from=IMAGE and `image` mounts. Reference-counted by `id`. */
  view(id: string, diffIds: string[], options?: CallOptions): Promise<{ path: string } & AsyncDisposable>;
  changes(id: string, options?: CallOptions): Promise<Change[]>;
  changesSize(id: string, options?: CallOptions): Promise<number>;
  /** The root's changes as an uncompressed layer tar: sorted, deterministic, with OCI whiteouts. */
  diff(id: string, options?: CallOptions & { sourceDateEpoch?: number }): Promise<Readable>;
  /** Turns the changes into a layer: compressed into the content store and unpacked for use, in one pass. */
  commit(id: string, options?: CommitOptions): Promise<{ blob: Descriptor; diffId: string }>;
  /** Takes in a layer tar (compressed or not) made elsewhere: content store and unpacked, in one pass. */
  ingest(
    tar: Readable,
    options?: CallOptions & { parent?: string[]; compression?: "gzip" | "zstd" | "none" },
  ): Promise<{ blob: Descriptor; diffId: string }>;
  /**
   * Deletes unpacked layers that no diff id chain in `used` needs and no root stands on; returns the bytes freed. `only` limits it to layers of these chains
   * (of an image just removed). Without it all layers are looked at, and those unpacked less than `grace_ms` ago (default one hour) stay: a pull or build
   * may be about to name them.
   */
  collect(used: string[][], options?: CallOptions & { only?: string[][]; grace_ms?: number }): Promise<number>;
}
