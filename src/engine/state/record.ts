import type {
  ContainerSpec,
  Endpoint,
  EndpointSpec,
  HealthState,
  MountPoint,
  PublishedPort,
} from "../../model/container.ts";
import type { ResolvedProcess } from "../merge.ts";

/** config.json: what a container is to be. Written at creation, and by rename, update, connect and disconnect. */
export interface ContainerConfig {
  version: 1;
  id: string;
  name: string;
  createdAt: string;
  /** Digest of the image's configuration; "" for a container of no image. */
  imageId: string;
  /** Lowest first; with these the root can be mounted again without the image. */
  diffIds: string[];
  spec: ContainerSpec;
  process: ResolvedProcess;
  mounts: MountPoint[];
  /** Volumes made for this container alone; removed with it if asked. */
  anonymousVolumes: string[];
  hostname: string;
  /** Where the root is seen while it is mounted, and where its changes lie. */
  rootfsPath: string;
  upperPath: string;
  /** Networks to join at start; kept up to date by connect and disconnect. */
  endpoints: EndpointSpec[];
}

export interface PendingRestart {
  at_ms: number;
  delay_ms: number;
}

/**
 * state.json: what was last known. Whether a container runs is not read from here: `observe` derives it from locks and exit files, which cannot be stale.
 */
export interface StoredState {
  phase: "created" | "running" | "exited" | "dead";
  /** Written before the runtime is asked to freeze, and after it has thawed. */
  paused: boolean;
  /** Boot that `pid` belongs to. */
  bootId: string;
  pid: number;
  /** Start of the process in clock ticks since boot (proc(5), stat field 22): tells it from a later one with the same pid. */
  pidStart: string;
  /** The monitor, in the same way. */
  monitorPid: number;
  monitorStart: string;
  exitCode: number;
  oomKilled: boolean;
  error: string;
  startedAt?: string;
  finishedAt?: string;
  restartCount: number;
  stoppedByUser: boolean;
  /** Runs that have ended: lets a waiter tell the next exit from the last. */
  runs: number;
  /** Set while waiting for the next restart by policy. */
  restart?: PendingRestart;
  /** Being stopped because it is unhealthy: its end leads to a restart. */
  unhealthy?: boolean;
  /** Delay that the present run waited for, 0 when started by hand. */
  delayBefore_ms: number;
  /** Health as it was at the end of the last run. */
  lastHealth?: HealthState;
  endpoints: Endpoint[];
  publishedPorts: PublishedPort[];
}

export const freshState: StoredState = {
  phase: "created",
  paused: false,
  bootId: "",
  pid: 0,
  pidStart: "",
  monitorPid: 0,
  monitorStart: "",
  exitCode: 0,
  oomKilled: false,
  error: "",
  restartCount: 0,
  stoppedByUser: false,
  runs: 0,
  delayBefore_ms: 0,
  endpoints: [],
  publishedPorts: [],
};
