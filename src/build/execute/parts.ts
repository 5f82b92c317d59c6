import type { Clock } from "../../base/clock.ts";
import type { RegistryClients } from "../../image/distribution/registry-clients.ts";
import type { Image, Platform } from "../../model/image.ts";
import type { BuildInput, SourceFetcher, StepRunner, XattrReader } from "../../ports/build.ts";
import type { ImageService } from "../../ports/images.ts";
import type { LayerStore } from "../../ports/layers.ts";
import type { Locks } from "../../ports/locks.ts";
import type { StepLayer, StepRecord, StepRecords } from "../cache/records.ts";
import type { Dockerfile } from "../dockerfile/parse.ts";
import type { BuildPlan } from "../graph/steps.ts";
import type { IsolatedRoots } from "../isolated/isolated-build.ts";
import type { FileDigests } from "../tree/file-digests.ts";
import type { Contexts } from "./contexts.ts";
import type { BuildProgress } from "./progress.ts";
import type { Semaphore } from "./semaphore.ts";

/** What a builder is made of; all of one engine root. */
export interface BuilderParts {
  /** Directory of the builder's own: step records, file digests, cache mounts, temporary files. */
  root: string;
  /** On a memory file system: secrets and agent sockets of running steps. */
  runPath: string;
  images: ImageService;
  layers: LayerStore;
  locks: Locks;
  clock: Clock;
  runner: StepRunner;
  fetcher: SourceFetcher;
  /** For caches in registries; without it they are refused. */
  clients?: RegistryClients;
  xattrs: XattrReader;
  platform: Platform;
  /** Steps at once where a build does not say. */
  cpus: number;
  /** For builds with `isolated`; without it they are refused. */
  isolatedRoots?: IsolatedRoots;
}

/** Steps found elsewhere: in a registry or a directory. */
export interface ImportedCache {
  /** Brings the record's layer into the content store; undefined when there is no such record. */
  take(key: string, signal: AbortSignal): Promise<StepRecord | undefined>;
}

/** Everything that the parts of one build share. */
export interface BuildSession {
  parts: BuilderParts;
  input: BuildInput;
  file: Dockerfile;
  plan: BuildPlan;
  images: ReadonlyMap<string, Image>;
  contexts: Contexts;
  progress: BuildProgress;
  records: StepRecords;
  imported: ImportedCache[];
  digests: FileDigests;
  slots: Semaphore;
  /** Empty directory of this build, removed with it. */
  tempPath: string;
  signal: AbortSignal;
  /** Unique on the host. */
  id: string;
  /** Finished (or running) stages. */
  stages: Map<number, Promise<StageResult>>;
  /** Steps on their way, so that equal ones of two stages run once. */
  running: Map<string, Promise<StepRecord>>;
  /** Keys of all steps of this build, for an export of the cache. */
  used: Map<string, StepRecord>;
  /** Counts views, roots and files, for names. */
  next: () => number;
}

export interface StageResult {
  layers: StepLayer[];
  history: StageHistory[];
}

/** `createdAt` is absent for steps without a layer: they get the image's own time. */
export interface StageHistory {
  createdAt?: string;
  createdBy: string;
  hasLayer: boolean;
  comment?: string;
  author?: string;
}

export function diffIdsOf(layers: readonly StepLayer[]): string[] {
  return layers.map(layer => layer.diffId);
}
