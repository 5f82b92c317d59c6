import type { AppVersion } from "../model/app-record.ts";
import type { HostFacts } from "../model/host.ts";
import type { NetworkRecord, ResourceStatus, VolumeRecord } from "../model/records.ts";
import type { Task, TaskStatus } from "../model/task.ts";

export interface LinkOptions {
  signal?: AbortSignal;
}

/** A task for a host, with what the host itself said of it last. */
export interface Assignment {
  task: Task;
  status?: TaskStatus;
}

/**
 * What a host is to have. The first batch is complete: what it does not name, the host is not to have. Later ones are changes. A version comes before the
 * first task that is made from it.
 */
export interface AssignmentBatch {
  complete: boolean;
  versions: AppVersion[];
  tasks: Assignment[];
  /** Ids of tasks that are forgotten: nothing of them is left to do. */
  forgotten: string[];
  networks: NetworkRecord[];
  volumes: VolumeRecord[];
  /** Names whose records are gone. */
  networksGone: string[];
  volumesGone: string[];
}

export interface HostReport {
  tasks: TaskStatus[];
  /** By name. */
  networks: Record<string, ResourceStatus>;
  volumes: Record<string, ResourceStatus>;
}

/** The content of a granted secret or config. */
export interface DeliveredFile {
  kind: "secret" | "config";
  /** Key in App.secrets or App.configs. */
  source: string;
  content: Buffer;
}

/** What an agent asks of a server. In one process it is the dispatcher itself; over the network, a client of it. */
export interface HostLink {
  register(facts: HostFacts, options?: LinkOptions): Promise<{ host: string }>;
  /** Goes on until aborted. An error ends it: call again, and begin from the new complete batch. */
  assignments(host: string, options?: LinkOptions): AsyncIterable<AssignmentBatch>;
  /** Resolves when the report is durable. */
  report(host: string, report: HostReport, options?: LinkOptions): Promise<void>;
  /** Contents for a task that is assigned to this host; `forbidden` for any other. */
  files(host: string, task: string, options?: LinkOptions): Promise<DeliveredFile[]>;
}

export function emptyBatch(complete = false): AssignmentBatch {
  return {
    complete,
    versions: [],
    tasks: [],
    forgotten: [],
    networks: [],
    volumes: [],
    networksGone: [],
    volumesGone: [],
  };
}
