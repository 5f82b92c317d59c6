import type { Readable } from "node:stream";
import type {
  Container,
  ContainerSpec,
  ContainerSummary,
  EndpointSpec,
  PortSpec,
  Resources,
  RestartPolicy,
} from "../model/container.ts";
import type { EngineEvent } from "../model/event.ts";
import type { Image, ImageRunConfig } from "../model/image.ts";
import type { Network, NetworkSpec } from "../model/network.ts";
import type { Volume } from "../model/volume.ts";
import type { CallOptions } from "./content.ts";
import type { ImageService } from "./images.ts";
import type { Change } from "./layers.ts";
import type { NetworkService } from "./network.ts";
import type { VolumeService } from "./volume.ts";

export interface LogOptions extends CallOptions {
  stdout?: boolean;
  stderr?: boolean;
  follow?: boolean;
  since_ms?: number;
  until_ms?: number;
  /** Lines from the end; absent is all. */
  tail?: number;
}

export interface LogRecord {
  stream: "stdout" | "stderr";
  /** RFC 3339 with nanoseconds, as written. */
  time: string;
  /** Exact bytes, the newline included where there was one. */
  data: Buffer;
}

export interface AttachOptions extends CallOptions {
  stdin?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  /** First what was logged so far. */
  logs?: boolean;
  /** False: only `logs`. */
  stream?: boolean;
}

/** A client's hold on the streams of a container or an exec. Disposing detaches; it stops nothing. */
export interface Session extends AsyncDisposable {
  tty: boolean;
  /** Ends the container's stdin when ended (if the container asked for that). Undefined where stdin was not asked for. */
  write(data: Buffer): Promise<void>;
  endInput(): void;
  output: AsyncIterable<{ stream: "stdout" | "stderr"; data: Buffer }>;
}

export type WaitCondition = "not-running" | "next-exit" | "removed";

export interface ExecSpec {
  args: string[];
  env?: string[];
  workingDir?: string;
  user?: string;
  tty?: boolean;
  stdin?: boolean;
  privileged?: boolean;
  detachKeys?: string;
}

export interface ExecState {
  id: string;
  containerId: string;
  spec: ExecSpec;
  running: boolean;
  pid: number;
  exitCode: number | undefined;
}

export interface ContainerStats {
  read: string;
  /** Nanoseconds, totals since start. */
  cpuTotal_ns: number;
  cpuUser_ns: number;
  cpuKernel_ns: number;
  cpuPerCore_ns?: number[];
  /** All cores of the host, nanoseconds. */
  systemCpu_ns: number;
  onlineCpus: number;
  throttling: { periods: number; throttledPeriods: number; throttled_ns: number };
  memoryUsage_bytes: number;
  memoryLimit_bytes: number;
  memoryMax_bytes?: number;
  memoryFailures?: number;
  /** The kernel's own counters, e.g. cache or inactive_file. */
  memoryDetails: Record<string, number>;
  pids: number;
  pidsLimit?: number;
  blockIo: { major: number; minor: number; op: "Read" | "Write"; bytes: number; operations: number }[];
  networks: Record<
    string,
    {
      rxBytes: number;
      rxPackets: number;
      rxErrors: number;
      rxDropped: number;
      txBytes: number;
      txPackets: number;
      txErrors: number;
      txDropped: number;
    }
  >;
}

export interface PathStat {
  name: string;
  size: number;
  /** Go's os.FileMode bits, as Docker's X-Docker-Container-Path-Stat has them. */
  mode: number;
  mtime: string;
  linkTarget: string;
}

/** key -> accepted values, as Docker's filters: any of the values, all of the keys. */
export type Filters = Record<string, string[]>;

export interface ContainerBackend {
  /** Throws `already_exists` on a taken name, `not_found` on a missing image, `invalid` naming the field. Warnings are sentences. */
  create(spec: ContainerSpec, options?: CallOptions): Promise<{ id: string; warnings: string[] }>;
  /** `unchanged` when it runs already. Errors carry details.exitCode 126 or 127 where the program cannot be run. */
  start(reference: string, options?: CallOptions & { detachKeys?: string }): Promise<void>;
  /** Stop signal, wait, then KILL. `unchanged` when it does not run. timeout_ms -1 waits for ever. */
  stop(reference: string, options?: CallOptions & { timeout_ms?: number; stopSignal?: string }): Promise<void>;
  restart(reference: string, options?: CallOptions & { timeout_ms?: number; stopSignal?: string }): Promise<void>;
  kill(reference: string, signal: string, options?: CallOptions): Promise<void>;
  pause(reference: string, options?: CallOptions): Promise<void>;
  unpause(reference: string, options?: CallOptions): Promise<void>;
  remove(
    reference: string,
    options?: CallOptions & { force?: boolean; volumes?: boolean; link?: boolean },
  ): Promise<void>;
  rename(reference: string, name: string, options?: CallOptions): Promise<void>;
  update(
    reference: string,
    change: { resources?: Partial<Resources>; restart?: RestartPolicy; ports?: PortSpec[] },
    options?: CallOptions,
  ): Promise<{ warnings: string[] }>;
  /** Resolves `registered` as soon as the wait cannot miss an exit any more (clients start the container only then). */
  wait(
    reference: string,
    options?: CallOptions & { condition?: WaitCondition; onRegistered?: () => void },
  ): Promise<{ exitCode: number; error?: string }>;
  inspect(reference: string, options?: CallOptions): Promise<Container>;
  list(
    options?: CallOptions & { all?: boolean; filters?: Filters; limit?: number; size?: boolean },
  ): Promise<ContainerSummary[]>;
  sizes(reference: string, options?: CallOptions): Promise<{ rootfs_bytes: number; writable_bytes: number }>;
  top(
    reference: string,
    psArguments: string[],
    options?: CallOptions,
  ): Promise<{ titles: string[]; processes: string[][] }>;
  /** One reading; `stream` gives one a second. */
  stats(reference: string, options?: CallOptions): Promise<ContainerStats>;
  logs(reference: string, options?: LogOptions): AsyncIterable<LogRecord>;
  attach(reference: string, options?: AttachOptions): Promise<Session>;
  resize(reference: string, rows: number, columns: number, options?: CallOptions): Promise<void>;
  createExec(reference: string, spec: ExecSpec, options?: CallOptions): Promise<string>;
  /** Undefined when detached. */
  startExec(
    execId: string,
    options?: CallOptions & { detach?: boolean; tty?: boolean; rows?: number; columns?: number },
  ): Promise<Session | undefined>;
  resizeExec(execId: string, rows: number, columns: number, options?: CallOptions): Promise<void>;
  inspectExec(execId: string): Promise<ExecState>;
  waitExec(execId: string, options?: CallOptions): Promise<number>;
  statPath(reference: string, path: string, options?: CallOptions): Promise<PathStat>;
  /** Tar of `path`, named by its last element. Never follows a link out of the root. */
  readArchive(reference: string, path: string, options?: CallOptions): Promise<{ stat: PathStat; tar: Readable }>;
  /** Unpacks into the directory `path`. */
  writeArchive(
    reference: string,
    path: string,
    tar: Readable,
    options?: CallOptions & { noOverwriteDirNonDir?: boolean; copyOwner?: boolean },
  ): Promise<void>;
  changes(reference: string, options?: CallOptions): Promise<Change[]>;
  export(reference: string, options?: CallOptions): Promise<Readable>;
  commit(
    reference: string,
    options?: CallOptions & {
      tag?: string;
      message?: string;
      author?: string;
      pause?: boolean;
      changes?: string[];
      config?: ImageRunConfig;
    },
  ): Promise<Image>;
  prune(options?: CallOptions & { filters?: Filters }): Promise<{ removed: string[]; reclaimed_bytes: number }>;
}

/** Networks as containers see them: definitions from NetworkService, with connect and disconnect of containers by name. */
export interface NetworkBackend {
  create(spec: NetworkSpec, options?: CallOptions): Promise<Network>;
  get(reference: string): Promise<Network>;
  list(options?: { filters?: Filters }): Promise<Network[]>;
  remove(reference: string, options?: CallOptions): Promise<void>;
  prune(options?: CallOptions & { filters?: Filters }): Promise<string[]>;
  /** Also for containers that do not run: recorded, and done at start. */
  connect(
    reference: string,
    container: string,
    spec: Omit<EndpointSpec, "network">,
    options?: CallOptions,
  ): Promise<void>;
  disconnect(reference: string, container: string, options?: CallOptions & { force?: boolean }): Promise<void>;
  members: NetworkService["members"];
}

export interface EngineInfo {
  root: string;
  run: string;
  version: string;
  runtime: { name: string; path: string; version: string; monitor: string; reason: string };
  storageDriver: string;
  cgroupVersion: 1 | 2;
  cgroupDriver: string;
  kernel: string;
  operatingSystem: string;
  osType: string;
  architecture: string;
  cpus: number;
  memory_bytes: number;
  hostname: string;
  containers: { total: number; running: number; paused: number; stopped: number };
  images: number;
  seccomp: boolean;
  warnings: string[];
}

export interface DiskUsage {
  images: { image: Image; shared_bytes: number; unique_bytes: number; containers: number }[];
  layers_bytes: number;
  containers: { summary: ContainerSummary; rootfs_bytes: number; writable_bytes: number }[];
  volumes: {
    name: string;
    driver: string;
    labels: Record<string, string>;
    mountpoint: string;
    createdAt: string;
    size_bytes: number;
    references: number;
  }[];
}

export interface CheckReport {
  /** Sentences: what leaked or does not fit, each with its cause. Empty: consistent. */
  findings: string[];
  repaired: string[];
}

export interface SystemBackend {
  info(options?: CallOptions): Promise<EngineInfo>;
  diskUsage(options?: CallOptions): Promise<DiskUsage>;
  /** Past events from `since_ms` (bounded backlog), then live ones until `until_ms` or abort. Slow readers lose the oldest, with an event that says so. */
  events(
    options?: CallOptions & { since_ms?: number; until_ms?: number; filters?: Filters },
  ): AsyncIterable<EngineEvent>;
  check(options?: CallOptions & { repair?: boolean }): Promise<CheckReport>;
}

/** Images as containers use them: as ImageService, with use by containers looked up, events sent, and references in `filters`. */
export interface ImageBackend extends Omit<ImageService, "remove" | "prune" | "content" | "list"> {
  /** Docker's filters: dangling, label, reference, before, since, until. */
  list(options?: CallOptions & { filters?: Filters }): Promise<Image[]>;
  remove(
    reference: string,
    options?: CallOptions & { force?: boolean },
  ): Promise<{ untagged?: string; deleted?: string }[]>;
  prune(
    options?: CallOptions & { filters?: Filters },
  ): Promise<{ untagged: string[]; deleted: string[]; reclaimed_bytes: number }>;
}

export interface VolumeBackend
  extends Omit<VolumeService, "remove" | "prune" | "attach" | "detach" | "populate" | "list"> {
  /** Docker's filters: name, driver, label, dangling. */
  list(options?: { filters?: Filters }): Promise<Volume[]>;
  /** Names of containers that need it. */
  users(name: string): Promise<string[]>;
  remove(name: string, options?: CallOptions & { force?: boolean }): Promise<void>;
  prune(options?: CallOptions & { filters?: Filters }): Promise<{ removed: string[]; reclaimed_bytes: number }>;
}

/**
 * A host's engine: everything a client can ask of containers, images, networks and volumes. It holds no state in memory that matters: any number of
 * processes may use one root at once, and one that dies leaves everything as it is.
 */
export interface Engine extends AsyncDisposable {
  containers: ContainerBackend;
  images: ImageBackend;
  networks: NetworkBackend;
  volumes: VolumeBackend;
  system: SystemBackend;
  /**
   * Watches exits, restarts, health checks and log rotation until aborted; resolves `ready` when everything found on disk is under watch.
   * berthd runs it; without berthd each container's monitor does the same through its exit command.
   */
  supervise(options: { signal: AbortSignal; boot?: boolean; onReady?: () => void }): Promise<void>;
}
