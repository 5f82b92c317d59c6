import { assert } from "../base/errors.ts";
import type { HealthProbe, HealthStatus, PublishedPort } from "./container.ts";

/**
 * A task's life, in order; it only moves forward. Those before `accepted` are control's, the later ones its host's:
 * new (just wished), pending (waits for a host), assigned, accepted (by the agent), preparing (images, networks, volumes), ready (container made),
 * starting (hooks), running; then one end: complete (ended with 0), shutdown (stopped as wanted), failed, rejected (could not be made),
 * removed (its container is gone too), orphaned (its host was given up).
 */
export const taskStates = [
  "new",
  "pending",
  "assigned",
  "accepted",
  "preparing",
  "ready",
  "starting",
  "running",
  "complete",
  "shutdown",
  "failed",
  "rejected",
  "removed",
  "orphaned",
] as const;

export type TaskState = (typeof taskStates)[number];

/** What control wants of a task: prepared and held at the gate, running, stopped with its container kept, or gone. It too only moves forward. */
export type WantedState = "ready" | "running" | "shutdown" | "removed";

const ranks = new Map<string, number>(taskStates.map((state, rank) => [state, rank]));
const wantedRanks: Record<WantedState, number> = { ready: 0, running: 1, shutdown: 2, removed: 3 };

export function stateRank(state: TaskState): number {
  return ranks.get(state)!;
}

/** It has ended, one way or another, and runs nothing. */
export function hasEnded(state: TaskState): boolean {
  return stateRank(state) >= stateRank("complete");
}

/** Wanted states move forward only: once shut down, a task never runs again (a new task does). */
export function wantedRank(wanted: WantedState): number {
  return wantedRanks[wanted];
}

/** Written by control alone. What the container is made of is the service in that version of the app. */
export interface Task {
  id: string;
  app: string;
  service: string;
  /** Replica number from 1; the host's id in a global service; the run's time in a scheduled one. */
  slot: string;
  /** In names and labels: app-service-NUMBER. */
  number: number;
  /** Version of the app that it is made from. */
  version: number;
  /** See WantedService.generation. */
  generation: string;
  /** See WantedService.shared. */
  shared: string;
  imageId?: string;
  /** Rises with each task of the slot. */
  sequence: number;
  /** ServiceWish.starts and .forced when it was made. */
  starts: number;
  forced: number;
  createdAt_ms: number;
  /** Why there is this task. */
  cause: string;
  wanted: WantedState;
  wantedCause: string;
  wantedAt_ms: number;
  /** Absent: not placed yet. */
  host?: string;
  /** Why no host took it, a sentence each. */
  refusals?: string[];
  /** Container of an earlier task of the slot to start again, instead of making one. */
  container?: string;
  /** Container of the task that this one replaces: its anonymous volumes are taken over. */
  inherits?: string;
  /** Not started before: the delay of a restart. */
  notBefore_ms?: number;
  /** When earlier tasks of the slot were restarted after they ended by themselves: the newest ones, oldest first. */
  restarts: number[];
  paused?: boolean;
  /** How long it may take to stop, where whoever stopped it said so; otherwise as the app file says. */
  stopTimeout_ms?: number;
  /** Anonymous volumes go with the container when it is removed. */
  removeVolumes?: boolean;
  /** When the schedule wanted this run. */
  scheduledAt_ms?: number;
}

export interface TaskHealth {
  status: HealthStatus;
  failingStreak: number;
  /** The last one. */
  probe?: HealthProbe;
}

/** Written by the task's host alone. */
export interface TaskStatus {
  id: string;
  state: TaskState;
  /** What happened, or what is being done: a sentence part, e.g. "pulling redis:7". */
  message: string;
  at_ms: number;
  containerId?: string;
  containerName?: string;
  exitCode?: number;
  oomKilled?: boolean;
  health?: TaskHealth;
  startedAt?: string;
  finishedAt?: string;
  /** Anonymous volumes taken over from the container of the task before it, by target. */
  inherited?: Record<string, string>;
  /** When the container that it starts again was last started before it: tells its own run from the earlier one after a crash. */
  startedBefore?: string;
  ports?: PublishedPort[];
  addresses?: Record<string, string>;
  paused?: boolean;
  /** It ended because its host did: nothing that the task itself did. */
  hostLost?: boolean;
  /** Ended by somebody with the engine's own means (docker stop): not restarted until asked. */
  stoppedByUser?: boolean;
  /** Start of the host that it runs in. */
  bootId?: string;
  /** The newest steps of its life, oldest first, this one included. */
  life: TaskMoment[];
}

export interface TaskMoment {
  state: TaskState;
  at_ms: number;
  message: string;
}

const longestLife = 24;

/** The status after `change`. Going back in state is a mistake of the caller. */
export function advance(status: TaskStatus, change: Partial<TaskStatus> & { at_ms: number }): TaskStatus {
  const state = change.state ?? status.state;
  assert(
    stateRank(state) >= stateRank(status.state),
    `task ${status.id} would go back from ${status.state} to ${state}`,
  );
  const next = { ...status, ...change, state };
  const last = status.life.at(-1);
  if (last?.state === state && last.message === next.message) return next;
  next.life = [...status.life, { state, at_ms: change.at_ms, message: next.message }].slice(-longestLife);
  return next;
}

/** What is known of a task: its host's word where there is one. */
export function observedState(task: Task, status: TaskStatus | undefined): TaskState {
  if (status) return status.state;
  if (task.host !== undefined) return "assigned";
  return task.refusals ? "pending" : "new";
}

/** It runs nothing, and nothing will start it: it ended, or was given up before a host had it. */
export function hasStopped(task: Task, status: TaskStatus | undefined): boolean {
  if (hasEnded(observedState(task, status))) return true;
  return task.host === undefined && wantedRank(task.wanted) >= wantedRank("shutdown");
}
