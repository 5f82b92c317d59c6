/** How the update of one service goes; written by the rollout loop. */
export type RolloutState = "updating" | "paused" | "completed" | "rolling-back" | "rollback-paused" | "rolled-back";

export interface Rollout {
  app: string;
  service: string;
  /** Version and generation that it leads to. */
  version: number;
  generation: string;
  state: RolloutState;
  message: string;
  /** Where a rollback leads: the newest version that a task of the service had before. */
  fromVersion?: number;
  startedAt_ms: number;
  finishedAt_ms?: number;
  /** Tasks of this rollout that failed within their monitoring time. */
  failed: string[];
  /** Slots that it changed. */
  slots: string[];
  /** When the last group began: the next waits for update_config.delay after its end. */
  groupEndedAt_ms?: number;
}

/** The version that tasks of the service are to be made from, given what the app record wants. */
export function effectiveVersion(wanted: number, rollout: Rollout | undefined): number {
  if (!rollout || rollout.version !== wanted || rollout.fromVersion === undefined) return wanted;
  return rollout.state === "rolling-back" || rollout.state === "rollback-paused" || rollout.state === "rolled-back"
    ? rollout.fromVersion
    : wanted;
}
