import type { App } from "../model/app.ts";
import type { AppVersion, OutcomeState } from "../model/app-record.ts";
import type { PublishedPort } from "../model/container.ts";
import type { TaskHealth, TaskMoment, TaskState, WantedState } from "../model/task.ts";
import type { CallOptions } from "./content.ts";
import type { MadeOneOff, OneOffChanges } from "./one-offs.ts";

/** A step of a plan, and the plan: plain values, as src/plan makes them. */
export interface PlannedStep {
  id: string;
  kind: string;
  action: string;
  name: string;
  cause: string;
  changes: { path: string; from?: string; to?: string }[];
  /** What is lost for good. */
  destroys?: string;
  after: string[];
  service?: string;
  slot?: string;
  host?: string;
}

export interface AppPlan {
  app: string;
  fromVersion?: number;
  toVersion: number;
  steps: PlannedStep[];
  warnings: string[];
}

export interface UpOptions extends CallOptions {
  /** Only these and what they depend on; absent: all. */
  services?: string[];
  /** Only the named services, not what they depend on. */
  noDependencies?: boolean;
  /** Contents of secrets and configs that come from files or variables, by "secrets.KEY" and "configs.KEY": base64. */
  contents?: Record<string, string>;
  who?: string;
  /** Why, for the history. */
  message?: string;
  /** Build also what is built already. */
  build?: boolean;
  noBuild?: boolean;
  pull?: "always" | "missing" | "never";
  /** Number of tasks, by service. */
  scale?: Record<string, number>;
  /** Replace all, changed or not. */
  forceRecreate?: boolean;
  /** Goes on where data is lost, or the app file is an old version. */
  allowDestructive?: boolean;
  force?: boolean;
  /** The version that the caller's plan was made from: refused where there is a newer one. */
  basedOn?: number;
  /** Until when to follow: only accepted, all started (default), or all started and healthy. */
  wait?: "none" | "started" | "healthy";
  /** Prepare only: what does not run yet is started by a later `start`. */
  noStart?: boolean;
  timeout_ms?: number;
  /** Wait for another `up` of the app instead of refusing. */
  waitForOthers?: boolean;
}

/** Images of some services; absent: of all. */
export interface ImagesOptions extends CallOptions {
  services?: string[];
  noCache?: boolean;
  /** Builds: ask the registry for newer base images. */
  pull?: boolean;
  /** Builds: more values for ARG. */
  args?: Record<string, string>;
  /** Pulls: only what is not here. */
  missingOnly?: boolean;
  ignoreFailures?: boolean;
}

export interface RunOptions extends CallOptions, OneOffChanges {
  contents?: Record<string, string>;
  build?: boolean;
  pull?: "always" | "missing" | "never";
}

export interface DownOptions extends CallOptions {
  volumes?: boolean;
  /** Remove images too: those without a name of their own in the app file, or all. */
  images?: "local" | "all";
  /** How long each task may take to stop before it is killed; absent: as the app file says. */
  stopTimeout_ms?: number;
  timeout_ms?: number;
}

export interface ServiceOptions extends CallOptions {
  /** Absent: all. */
  services?: string[];
  wait?: "none" | "started" | "healthy";
  timeout_ms?: number;
  /** For `stop`, `restart` and `rm`: how long each task may take to stop before it is killed; absent: as the app file says. */
  stopTimeout_ms?: number;
}

/** What happens while something is carried out. The last one is `done`; failures are thrown. */
export type AppEvent =
  | { type: "plan"; plan: AppPlan }
  | {
      type: "image";
      reference: string;
      action: "pull" | "build";
      id: string;
      status: string;
      /** Output of a build's step, some lines; `status` is empty then. */
      log?: string;
      current?: number;
      total?: number;
    }
  | ({ type: "task" } & TaskView)
  /** A prepared task that is held, and why: once for each change of the reason. */
  | { type: "waiting"; name: string; service: string; reason: string }
  | {
      type: "resource";
      kind: "network" | "volume";
      name: string;
      state: "present" | "removed" | "failed";
      message: string;
    }
  /** What `run` made; it is not started. */
  | ({ type: "container" } & MadeOneOff)
  | { type: "done"; app: string; version: number; outcome: OutcomeState | "unchanged" | "accepted"; message: string };

export interface TaskView {
  task: string;
  app: string;
  service: string;
  slot: string;
  number: number;
  /** Of its container. */
  name: string;
  state: TaskState;
  wanted: WantedState;
  /** What is being done, or how it ended. */
  message: string;
  /** Why there is this task. */
  cause: string;
  version: number;
  image: string;
  imageId?: string;
  host?: string;
  containerId?: string;
  exitCode?: number;
  health?: TaskHealth;
  paused: boolean;
  ports: PublishedPort[];
  addresses: Record<string, string>;
  createdAt_ms: number;
  startedAt?: string;
  finishedAt?: string;
  restarts: number;
  /** Why it does not run yet. */
  waits: string[];
}

export interface AppSummary {
  name: string;
  version: number;
  outcome: OutcomeState;
  message: string;
  /** "running 3/3" for each service. */
  services: Record<string, { wanted: number; running: number; state: string }>;
  files: string[];
  directory: string;
  changedAt_ms: number;
}

export interface VersionView {
  version: number;
  who: string;
  at_ms: number;
  message: string;
  diff: string[];
  outcome: OutcomeState;
  outcomeMessage: string;
  rollbackTo?: number;
}

export interface Why {
  service: string;
  /** One word: running, waiting, failed, stopped … */
  state: string;
  /** The answer, a sentence each, the most telling first. */
  sentences: string[];
  tasks: { name: string; task: string; life: TaskMoment[]; cause: string }[];
}

/** Everything that one asks of apps. Inputs and outputs are JSON; changes answer with what happens until they are done. */
export interface AppsBackend {
  plan(app: App, options?: UpOptions): Promise<{ plan: AppPlan; text: string }>;
  /** Throws `conflict` where it would destroy something, is older than what runs, or another change of the app is under way; `timeout` with who waits for what. */
  up(app: App, options?: UpOptions): AsyncIterable<AppEvent>;
  /** Builds the images of services that have a `build` section, here or not. */
  build(app: App, options?: ImagesOptions): AsyncIterable<AppEvent>;
  /** Fetches the images of services that are not built. */
  pull(app: App, options?: ImagesOptions): AsyncIterable<AppEvent>;
  /** Makes a container of a service for one command, with its image, networks, volumes and secrets; the last event names it. */
  run(app: App, service: string, options?: RunOptions): AsyncIterable<AppEvent>;
  down(name: string, options?: DownOptions): AsyncIterable<AppEvent>;
  start(name: string, options?: ServiceOptions): AsyncIterable<AppEvent>;
  stop(name: string, options?: ServiceOptions): AsyncIterable<AppEvent>;
  restart(name: string, options?: ServiceOptions): AsyncIterable<AppEvent>;
  /** Removes the containers of stopped services. */
  rm(name: string, options?: ServiceOptions & { stop?: boolean }): AsyncIterable<AppEvent>;
  scale(name: string, services: Record<string, number>, options?: ServiceOptions): AsyncIterable<AppEvent>;
  pause(name: string, options?: ServiceOptions): AsyncIterable<AppEvent>;
  unpause(name: string, options?: ServiceOptions): AsyncIterable<AppEvent>;
  kill(name: string, options?: ServiceOptions & { killSignal?: string }): Promise<string[]>;
  /** To an earlier version of the app, as a new one. */
  rollback(
    name: string,
    version: number,
    options?: ServiceOptions & { who?: string; message?: string; allowDestructive?: boolean },
  ): AsyncIterable<AppEvent>;
  ls(options?: CallOptions & { all?: boolean }): Promise<AppSummary[]>;
  /** Tasks that hold something; with `all` those of the history too. */
  ps(name: string, options?: CallOptions & { services?: string[]; all?: boolean }): Promise<TaskView[]>;
  /** From now on; of all apps where none is named. */
  events(name: string | undefined, options?: CallOptions): AsyncIterable<AppEvent>;
  history(name: string, options?: CallOptions): Promise<VersionView[]>;
  /** Absent: the newest. */
  version(name: string, number?: number, options?: CallOptions): Promise<AppVersion>;
  why(name: string, service?: string, options?: CallOptions): Promise<Why[]>;
}

export interface StandaloneFileView {
  id: string;
  name: string;
  labels: Record<string, string>;
  createdAt_ms: number;
}

/** Secrets and configs that stand for themselves: apps name them as external. */
export interface StandaloneFilesBackend {
  /** `content` in base64. The same name again is a new content: apps get it at their next `up`. */
  create(
    kind: "secret" | "config",
    name: string,
    content: string,
    options?: CallOptions & { labels?: Record<string, string> },
  ): Promise<StandaloneFileView>;
  list(kind: "secret" | "config", options?: CallOptions): Promise<StandaloneFileView[]>;
  remove(kind: "secret" | "config", name: string, options?: CallOptions): Promise<void>;
}
