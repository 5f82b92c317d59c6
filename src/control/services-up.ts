import { hasEnded, hasStopped, wantedRank } from "../model/task.ts";
import { endSentence, type SlotTask, slotSteps, slotsOf, stateOf } from "../plan/slots.ts";
import type { WantedService } from "../plan/wanted.ts";
import { blockersOf } from "./gate/conditions.ts";
import { decideRestart } from "./orchestrate/restart.ts";
import { slotNames } from "./orchestrate/slot-names.ts";
import { isUp } from "./rollout/slot-progress.ts";
import { type ClusterState, serviceKey } from "./state.ts";

export type Settled = { state: "up" } | { state: "busy" } | { state: "failed"; message: string };

/** Whether a service is as wanted (with `health`, as far as its checks say), on its way, or stuck until somebody does something. */
export function settledness(state: ClusterState, wanted: WantedService, now_ms: number, health = true): Settled {
  const known = state.rollouts.get(serviceKey(wanted.app, wanted.name));
  // One of an earlier version says nothing about this one.
  const rollout = known?.version === state.apps.get(wanted.app)?.services[wanted.name]?.version ? known : undefined;
  if (rollout?.state === "paused" || rollout?.state === "rollback-paused") {
    return { state: "failed", message: `update of ${wanted.name} is paused: ${rollout.message}` };
  }
  // Who asked for a careful update is told of its success when the new tasks have been watched for long enough.
  const careful = wanted.service.deploy?.updateConfig !== undefined;
  if (rollout?.state === "rolling-back" || (rollout?.state === "updating" && careful)) return { state: "busy" };
  const tasks = state.tasksOf(wanted.app, wanted.name);
  const steps = slotSteps(wanted, slotNames(state, wanted), slotsOf(tasks), state.specHashOf);
  let busy = tasks.some(
    ({ task, status }) => wantedRank(task.wanted) >= wantedRank("shutdown") && !hasStopped(task, status),
  );
  // A failed run of a schedule is history: the next one comes by itself.
  if (wanted.service.schedule) return { state: busy ? "busy" : "up" };
  for (const step of steps) {
    const entry = step.task;
    if (step.action !== "keep") busy = true;
    else if (entry && wanted.state === "running" && !isUp(entry) && !(runs(entry) && !health)) {
      const message = stuck(state, wanted, entry, now_ms);
      if (message !== undefined) return { state: "failed", message };
      busy = true;
    }
  }
  return { state: busy ? "busy" : "up" };
}

function runs(entry: SlotTask): boolean {
  return stateOf(entry) === "running" && entry.status?.health?.status !== "unhealthy";
}

function stuck(state: ClusterState, wanted: WantedService, entry: SlotTask, now_ms: number): string | undefined {
  const { task, status } = entry;
  const name = `${task.service}-${task.number}`;
  const current = stateOf(entry);
  if (status && (hasEnded(current) || status.health?.status === "unhealthy")) {
    const decision = decideRestart(wanted.service, task, status);
    if (decision.restart) return undefined;
    return hasEnded(current)
      ? `${name}: ${endSentence(entry)}; ${decision.reason}`
      : `${name} is unhealthy${probe(entry)}; ${decision.reason}`;
  }
  if (task.refusals && task.host === undefined) return `${name} fits on no host: ${task.refusals.join("; ")}`;
  if (task.wanted !== "ready") return undefined;
  const hopeless = blockersOf(state, task, now_ms).find(blocker => blocker.hopeless);
  return hopeless && `${name} ${hopeless.sentence}`;
}

function probe({ status }: SlotTask): string {
  const output = status?.health?.probe?.output.trim().split("\n").at(-1);
  return output ? ` (${output.slice(0, 200)})` : "";
}
