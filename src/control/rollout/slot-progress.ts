import { hasEnded, hasStopped, stateRank } from "../../model/task.ts";
import type { SlotStep, SlotTask } from "../../plan/slots.ts";
import { stateOf } from "../../plan/slots.ts";
import type { WantedService } from "../../plan/wanted.ts";
import { progressDeadline_ms, type UpdateRules } from "./order.ts";

/** How far the update of one slot is. */
export interface SlotProgress {
  slot: string;
  step: SlotStep;
  /** The task of the wanted generation, the newest one. */
  next?: SlotTask;
  /** Earlier tasks that still run or may run. */
  before: SlotTask[];
  /** Earlier tasks that ended, and whose containers are still there. */
  ended: SlotTask[];
  /** `next` serves and nothing is left of the earlier ones. */
  settled: boolean;
  /** When `next` began to serve. */
  up_ms?: number;
  /** Why `next` counts as failed. */
  failure?: string;
  /** When that can be said at the latest. */
  judge_ms?: number;
}

export function slotProgress(
  wanted: WantedService,
  step: SlotStep,
  tasks: readonly SlotTask[],
  rules: UpdateRules,
  now_ms: number,
): SlotProgress {
  const own = tasks.filter(({ task }) => task.slot === step.slot).sort((a, b) => b.task.sequence - a.task.sequence);
  const next = own.find(({ task }) => task.generation === wanted.generation && task.wanted !== "removed");
  const earlier = own.filter(({ task }) => task.sequence < (next?.task.sequence ?? Infinity));
  const before = earlier.filter(({ task, status }) => !hasStopped(task, status));
  const ended = earlier.filter(({ task, status }) => hasStopped(task, status) && task.wanted !== "removed");
  const progress: SlotProgress = { slot: step.slot, step, next, before, ended, settled: false };
  if (!next) return progress;
  if (isUp(next)) progress.up_ms = upSince_ms(next);
  progress.failure = failureOf(next, rules, now_ms);
  const proven_ms = progress.up_ms === undefined ? undefined : progress.up_ms + proof_ms(next, rules);
  progress.judge_ms = proven_ms ?? next.task.createdAt_ms + progressDeadline_ms;
  progress.settled =
    (proven_ms ?? Infinity) <= now_ms && before.length + ended.length === 0 && progress.failure === undefined;
  return progress;
}

/** Without a health check, only time shows that a task does not end at once: the next slot waits for so long. */
const shortestRun_ms = 1000;

function proof_ms(entry: SlotTask, rules: UpdateRules): number {
  const checked = entry.status?.health?.status === "healthy" || stateOf(entry) === "complete";
  return checked ? 0 : Math.min(rules.monitor_ms, shortestRun_ms);
}

/** Runs, and is healthy where there is a check; or did its work. */
export function isUp(entry: SlotTask): boolean {
  const state = stateOf(entry);
  if (state === "complete") return true;
  const health = entry.status?.health?.status ?? "none";
  return state === "running" && (health === "none" || health === "healthy");
}

function upSince_ms({ task, status }: SlotTask): number {
  return status?.life.find(({ state }) => stateRank(state) >= stateRank("running"))?.at_ms ?? task.createdAt_ms;
}

/** Failures count while the task is monitored: from its making until `monitor` after it began to run. */
function failureOf(entry: SlotTask, rules: UpdateRules, now_ms: number): string | undefined {
  const { task, status } = entry;
  const state = stateOf(entry);
  const ran_ms = status?.life.find(moment => moment.state === "running")?.at_ms;
  if (hasEnded(state) && state !== "complete") {
    const late = ran_ms !== undefined && status!.at_ms - ran_ms > rules.monitor_ms;
    return late || status?.hostLost ? undefined : (status?.message ?? state);
  }
  if (status?.health?.status === "unhealthy" && !isUp(entry)) {
    const output = status.health.probe?.output.trim().split("\n").at(-1);
    return `it is unhealthy${output ? `: ${output}` : ""}`;
  }
  if (!isUp(entry) && now_ms >= task.createdAt_ms + progressDeadline_ms) {
    return `it was not up ${progressDeadline_ms / 60_000} minutes after it was made (${state})`;
  }
  return undefined;
}
