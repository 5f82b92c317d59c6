import type { Readable, Writable } from "node:stream";
import type { Resources, Ulimit } from "../model/container.ts";
import type { Image, Platform } from "../model/image.ts";
import type { CallOptions, ContentRoots } from "./content.ts";
import type { RegistryAuth } from "./images.ts";

/** Where a build takes its files from. A tar may be plain, gzip or zstd; a URL is a git repository, a tar or a lone Dockerfile. */
export type BuildContext =
  | { kind: "directory"; path: string }
  | { kind: "tar"; stream: Readable }
  | { kind: "url"; url: string }
  | { kind: "empty" };

/** `--build-context NAME=…`: replaces a stage or image of that name in FROM, COPY --from and RUN --mount=from. */
export type NamedContext = BuildContext | { kind: "image"; reference: string };

/** A file of the host, or "-"-like streams of the caller. */
export type OutputTarget = { path: string } | { stream: Writable };

export type BuildOutput =
  /** Into the host's images, under all `tags`; `push` sends each tag to its registry. */
  | { type: "image"; push?: boolean }
  | { type: "docker"; target: OutputTarget }
  | { type: "oci"; target: OutputTarget }
  /** The root file system. */
  | { type: "tar"; target: OutputTarget }
  | { type: "local"; path: string };

/** Where step results are kept besides this host. `local` is an OCI layout directory. */
export type CacheLocation = { type: "registry"; reference: string } | { type: "local"; path: string };

export interface SecretSource {
  /** The secret itself; never written to a disk. */
  data: Buffer;
}

export type BuildNetwork = "default" | "host" | "none";

export interface BuildInput {
  context: BuildContext;
  contexts?: Record<string, NamedContext>;
  /** Text wins; a path is inside the context unless absolute. Absent: Dockerfile in the context. */
  dockerfile?: { text: string; name?: string } | { path: string };
  target?: string;
  args?: Record<string, string>;
  secrets?: Record<string, SecretSource>;
  /** id -> socket of an SSH agent on this host. */
  ssh?: Record<string, string>;
  tags?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  noCache?: boolean;
  /** Stages (names or numbers) that take nothing from the cache. */
  noCacheStages?: string[];
  /** Ask the registry for newer base images. */
  pull?: boolean;
  platform?: Platform;
  /** Absent: one `image`. */
  outputs?: BuildOutput[];
  cacheFrom?: CacheLocation[];
  cacheTo?: (CacheLocation | { type: "inline" })[];
  /** For RUN steps that do not say otherwise. */
  network?: BuildNetwork;
  /** "host:address" */
  extraHosts?: string[];
  shmSize_bytes?: number;
  ulimits?: Ulimit[];
  resources?: Resources;
  cgroupParent?: string;
  /** Steps at once; absent: the host's cores. */
  parallelism?: number;
  /** In an engine root of its own, gone afterwards: nothing from the host's cache, nothing into it; only base images are shared. */
  isolated?: boolean;
  auth?: (registry: string) => RegistryAuth | undefined;
  onProgress?: (event: BuildEvent) => void;
  signal?: AbortSignal;
}

/** One node of the build as people see it: a step, or the loading and exporting around the steps. */
export interface BuildVertex {
  /** Unique in this build. */
  id: string;
  /** "[build 2/5] RUN make", "load build context", "export image". */
  name: string;
  /** Stage name or number; "" outside the stages. */
  stage: string;
  /** Position of the step in the stage's Dockerfile order, 1-based, and the number of steps of all needed stages. */
  step?: number;
  steps?: number;
  /** 1-based line of the Dockerfile. */
  line?: number;
}

export type VertexState = "started" | "cached" | "done" | "error";

export type BuildEvent =
  | { kind: "state"; vertex: BuildVertex; state: VertexState; time_ms: number; error?: string; layerId?: string }
  | { kind: "log"; vertexId: string; stream: "stdout" | "stderr"; data: Buffer; time_ms: number }
  | {
      kind: "transfer";
      vertexId: string;
      status: string;
      id: string;
      current?: number;
      total?: number;
      time_ms: number;
    }
  | { kind: "warning"; message: string; line?: number; time_ms: number };

export interface BuildResult {
  /** Present with an `image` output. */
  image?: Image;
  /** Digest of the configuration: Docker's image id. */
  imageId: string;
  /** Digest of the manifest. */
  digest: string;
  steps: number;
  cachedSteps: number;
  warnings: string[];
}

/** One node of `--print`. */
export interface PrintedStage {
  name: string;
  index: number;
  base: string;
  platform?: string;
  needs: string[];
  needed: boolean;
  steps: { line: number; instruction: string; makesLayer: boolean; needs?: string[] }[];
}

export interface PrintedGraph {
  target: string;
  stages: PrintedStage[];
}

export interface CacheRecordInfo {
  id: string;
  description: string;
  createdAt_ms: number;
  lastUsedAt_ms: number;
  size_bytes: number;
  kind: "layer" | "mount";
  inUse: boolean;
}

/** Dockerfile -> image. Nothing of a build that fails or is cancelled stays, but finished steps in the cache. */
export interface Builder {
  /** Throws `invalid` with file, line, column and the line for what is wrong in the Dockerfile; a failing RUN has `details.exitCode` and `details.line`. */
  build(input: BuildInput): Promise<BuildResult>;
  /** Resolves the graph (base images included) and runs nothing. */
  print(input: BuildInput): Promise<PrintedGraph>;
  /** What the cache holds: finished layers and cache mounts. */
  cacheUsage(options?: CallOptions): Promise<CacheRecordInfo[]>;
  /** Deletes records not used since `unusedSince_ms` (absent: all), oldest first, until at most `keep_bytes` stay. */
  pruneCache(
    options?: CallOptions & { unusedSince_ms?: number; keep_bytes?: number },
  ): Promise<{ removed: string[]; reclaimed_bytes: number }>;
  /** What the cache needs: garbage collection keeps it. */
  roots: ContentRoots;
}

export interface StepMount {
  /** bind: a host path over `target`; tmpfs: an empty one. */
  kind: "bind" | "tmpfs";
  source?: string;
  /** Absolute, in the container. */
  target: string;
  readOnly?: boolean;
  size_bytes?: number;
}

/** One RUN step, ready to be executed: nothing is left to decide. */
export interface StepInput extends CallOptions {
  /** Unique on the host. */
  id: string;
  /** Mounted, writable; the caller owns it. */
  rootfsPath: string;
  args: string[];
  env: string[];
  workingDir: string;
  /** user[:group], names or numbers, looked up in the root's own files. */
  user: string;
  mounts: StepMount[];
  network: BuildNetwork;
  extraHosts: string[];
  shmSize_bytes?: number;
  ulimits?: Ulimit[];
  resources?: Resources;
  cgroupParent?: string;
  onOutput: (stream: "stdout" | "stderr", data: Buffer) => void;
}

/** Runs a process in a root: a container of the shortest kind, with no monitor, log or restart. */
export interface StepRunner {
  /** Paths in the container that every step has something mounted on (/proc, /etc/hosts …), besides the mounts of its input. */
  readonly mountPoints: readonly string[];
  /** Exit code, 128 + signal when killed. Abort kills the whole container and waits until it is gone. Throws when it cannot be started at all. */
  run(input: StepInput): Promise<{ exitCode: number; oomKilled: boolean }>;
  /** Removes containers (and what belongs to them) that killed builds left; asked for each id of `run` that is still known. */
  sweep(isLeftover: (id: string) => boolean): Promise<void>;
  /** Gives back what is kept for the next step (network namespaces); called when no build of this process is running. */
  releaseIdle(): Promise<void>;
  /**
   * A socket at `path` that speaks to the SSH agent at `agentPath`, with the owner and mode that a step asked for.
   */
  forwardAgent(input: {
    agentPath: string;
    path: string;
    uid: number;
    gid: number;
    mode: number;
  }): Promise<AsyncDisposable>;
}

/** Files from elsewhere, for ADD and for contexts. */
export interface SourceFetcher {
  /** Throws `not_found` or `unavailable`; follows redirects, bounded. `modified_ms` from Last-Modified. */
  http(
    url: string,
    options?: CallOptions & { limit_bytes?: number },
  ): Promise<{ body: Readable; fileName: string; modified_ms?: number; contentType: string }>;
  /** Commit that `reference` (branch, tag, commit; absent: the default branch) names now. */
  resolveGit(url: string, reference: string | undefined, options?: CallOptions): Promise<string>;
  /** Checks out one commit into the empty directory `path`, submodules included; without .git unless `keepGit`. */
  checkoutGit(
    input: { url: string; commit: string; reference?: string; path: string; keepGit?: boolean },
    options?: CallOptions,
  ): Promise<void>;
  /** ADD unpacks these too; throws `unsupported` naming the program to install. */
  decompress(format: "xz" | "bzip2", input: Readable, options?: CallOptions): Promise<Readable>;
}

/** Extended attributes of a file that belong into a layer (security.capability, user.*); undefined where it has none. */
export type XattrReader = (path: string) => Map<string, Buffer> | undefined;
