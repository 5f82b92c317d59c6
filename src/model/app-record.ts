import type { App } from "./app.ts";

/** What is wanted of an app now; one record an app, changed by comparison only. */
export interface AppRecord {
  name: string;
  /** The newest version. */
  version: number;
  /** removed: everything of it is being, or has been, taken down. */
  wanted: "present" | "removed";
  /** With `removed`: named and anonymous volumes go too. */
  removeVolumes?: boolean;
  /** With `removed`: how long tasks may take to stop. */
  stopTimeout_ms?: number;
  services: Record<string, ServiceWish>;
  createdAt_ms: number;
  changedAt_ms: number;
}

/** What is wanted of one service beyond its text in the app file. */
export interface ServiceWish {
  /** The version of the app that it follows: `up SERVICE` moves that service and its dependencies only. */
  version: number;
  state: "running" | "stopped" | "removed";
  /** From `scale`; absent: as the app file says. */
  scale?: number;
  paused?: boolean;
  /** How long its tasks may take to stop, as last said with `stop` or `restart`. */
  stopTimeout_ms?: number;
  /** Counts `restart`: tasks of a lower count are restarted. */
  forced: number;
  /** Counts `start` and `up`: an ended task of a lower count is started again. */
  starts: number;
}

/** One `up` or rollback. Never changed once written. */
export interface AppVersion {
  number: number;
  /** Without the contents of secrets and configs. */
  app: App;
  who: string;
  at_ms: number;
  /** What its author said about it. */
  message: string;
  /** What it changed, a line each. */
  diff: string[];
  /** Id of the image of each service, where it was known. */
  images: Record<string, string>;
  /** Key in App.secrets / App.configs -> stored content (see StoredFile); external ones are found by name. */
  secrets: Record<string, string>;
  configs: Record<string, string>;
  /** Names of volumes that its author agreed to lose, so that they are made anew. */
  replaceVolumes?: string[];
  /** Set by a rollback: the version whose app this is. */
  rollbackTo?: number;
}

export type OutcomeState = "running" | "succeeded" | "failed" | "rolled-back" | "superseded" | "removed";

/** What became of a version; written by control. */
export interface AppOutcome {
  number: number;
  state: OutcomeState;
  message: string;
  at_ms: number;
}
