import type { Rollout } from "../../model/rollout.ts";
import type { UpdateRules } from "./order.ts";
import type { SlotProgress } from "./slot-progress.ts";

/**
 * What the state of the slots means for the rollout: it goes on, is done, pauses or turns back. `wakes_ms` are the times at which another answer is possible
 * without anything happening.
 */
export function judge(
  rollout: Rollout,
  rules: UpdateRules,
  slots: SlotProgress[],
  now_ms: number,
): { rollout: Rollout; wakes_ms: number[] } {
  if (rollout.state !== "updating" && rollout.state !== "rolling-back") return { rollout, wakes_ms: [] };
  const own = slots.filter(({ slot }) => rollout.slots.includes(slot));
  const failing = own.filter(({ failure, next }) => failure !== undefined && !rollout.failed.includes(next!.task.id));
  const failed = [...rollout.failed, ...failing.map(({ next }) => next!.task.id)];
  if (failing.length > 0 && failed.length / Math.max(1, slots.length) > rules.maxFailureRatio) {
    const message = failing
      .map(({ next, failure }) => `${next!.task.service}-${next!.task.number}: ${failure}`)
      .join("; ");
    const next = turn({ ...rollout, failed }, rules, message, now_ms);
    if (next) return { rollout: next, wakes_ms: [] };
  }
  const current = { ...rollout, failed };
  const wakes_ms = own.flatMap(({ judge_ms }) => (judge_ms !== undefined && judge_ms > now_ms ? [judge_ms] : []));
  const isFailed = ({ next }: SlotProgress) => next !== undefined && failed.includes(next.task.id);
  const over = own.every(slot => slot.settled || isFailed(slot));
  const left = slots.some(slot => isOutdated(slot) && !(rollout.slots.includes(slot.slot) && isFailed(slot)));
  if (!over || left) return { rollout: current, wakes_ms };
  const watchedUntil_ms = Math.max(0, ...own.map(({ up_ms }) => (up_ms ?? 0) + rules.monitor_ms));
  if (watchedUntil_ms > now_ms) return { rollout: current, wakes_ms: [...wakes_ms, watchedUntil_ms] };
  return {
    rollout: {
      ...current,
      state: rollout.state === "updating" ? "completed" : "rolled-back",
      message: rollout.state === "updating" ? "" : rollout.message,
      finishedAt_ms: now_ms,
    },
    wakes_ms,
  };
}

function isOutdated({ step }: SlotProgress): boolean {
  return step.action === "replace" || step.action === "restart";
}

/** Undefined: go on in spite of the failures. */
function turn(rollout: Rollout, rules: UpdateRules, message: string, now_ms: number): Rollout | undefined {
  if (rollout.state === "rolling-back") {
    if (rules.failureAction === "continue") return undefined;
    return { ...rollout, state: "rollback-paused", message: `going back failed too: ${message}` };
  }
  if (rules.failureAction === "continue") return undefined;
  if (rules.failureAction === "rollback" && rollout.fromVersion !== undefined) {
    return { ...rollout, state: "rolling-back", message, failed: [], slots: [], startedAt_ms: now_ms };
  }
  return { ...rollout, state: "paused", message };
}
