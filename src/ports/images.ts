import type { Readable } from "node:stream";
import type { Descriptor, HistoryEntry, Image, ImageConfig, Platform } from "../model/image.ts";
import type { CallOptions, ContentStore } from "./content.ts";

/** Steps of a pull, push, load or bootstrap; clients draw bars from these. */
export interface Progress {
  /** What it is about: a layer's short digest, or "" for the whole. */
  id: string;
  /** "Pulling fs layer", "Downloading", "Extracting", "Pull complete", "Pushed" …: Docker's words. */
  status: string;
  current?: number;
  total?: number;
}

export type ProgressSink = (progress: Progress) => void;

export interface RegistryAuth {
  username?: string;
  password?: string;
  identityToken?: string;
  registryToken?: string;
}

export interface TransferOptions extends CallOptions {
  platform?: Platform;
  /** Beats what ~/.docker/config.json and its helpers say. */
  auth?: RegistryAuth;
  onProgress?: ProgressSink;
}

export interface HistoryLine extends HistoryEntry {
  /** Id of the image at this step, or "<missing>". */
  id: string;
  size_bytes: number;
  tags: string[];
}

export interface PrunedImages {
  untagged: string[];
  deleted: string[];
  reclaimed_bytes: number;
}

/** All images of one host. References are Docker's: short names, tags, digests, ids and unambiguous id prefixes. */
export interface ImageService {
  readonly content: ContentStore;
  /** Throws `not_found`, with a near miss in the hint. */
  get(reference: string, options?: CallOptions): Promise<Image>;
  find(reference: string, options?: CallOptions): Promise<Image | undefined>;
  list(options?: CallOptions): Promise<Image[]>;
  history(reference: string, options?: CallOptions): Promise<HistoryLine[]>;
  pull(reference: string, options?: TransferOptions): Promise<Image>;
  push(reference: string, options?: TransferOptions): Promise<{ digest: string; size: number }>;
  /** Docker's GET /distribution: the registry's descriptor of a reference, without pulling. */
  resolveRemote(
    reference: string,
    options?: TransferOptions,
  ): Promise<{ descriptor: Descriptor; platforms: Platform[] }>;
  /** Checks credentials with the registry; returns what it said. */
  login(registry: string, auth: RegistryAuth, options?: CallOptions): Promise<string>;
  tag(source: string, target: string, options?: CallOptions): Promise<void>;
  /**
   * Docker's rules: a tag is taken off; with the last tag the image goes, unless containers (`inUse`) or child images need it (`in_use`, with the reason).
   * `force` takes all tags off. Returns what was untagged and deleted, in order.
   */
  remove(
    reference: string,
    options?: CallOptions & { force?: boolean; inUse?: (imageId: string) => Promise<string | undefined> },
  ): Promise<{ untagged?: string; deleted?: string }[]>;
  prune(
    options: CallOptions & {
      all?: boolean;
      until_ms?: number;
      labels?: string[];
      inUse: (imageId: string) => Promise<boolean>;
    },
  ): Promise<PrunedImages>;
  /** Tar of one or more images. docker-archive by default (with an OCI index inside, so that both kinds of reader are served). */
  save(references: string[], options?: CallOptions & { format?: "docker-archive" | "oci-archive" }): Promise<Readable>;
  /** docker-archive, OCI layout, either compressed. Returns each image's names (or its id where it has none). */
  load(
    archive: Readable,
    options?: CallOptions & { onProgress?: ProgressSink },
  ): Promise<{ image: Image; names: string[] }[]>;
  /** An image of one layer from a root file system tar. */
  import(
    archive: Readable,
    options: CallOptions & {
      reference?: string;
      config?: ImageConfig["config"];
      message?: string;
      platform?: Platform;
    },
  ): Promise<Image>;
  /** Makes an image of what is already in the store: used by commit, build and bootstrap. Config and manifest are written, the tag (if any) set. */
  create(
    input: { config: ImageConfig; layers: Descriptor[]; tags?: string[]; annotations?: Record<string, string> },
    options?: CallOptions,
  ): Promise<Image>;
  /** debian:<suite>[-slim] or busybox, from the host's own packages. */
  bootstrap(reference: string, options?: CallOptions & { onProgress?: ProgressSink }): Promise<Image>;
  /** Whether `bootstrap` could make this reference. */
  canBootstrap(reference: string): boolean | Promise<boolean>;
  diskUsage(options?: CallOptions): Promise<{ images: number; total_bytes: number; shared_bytes: number }>;
}
