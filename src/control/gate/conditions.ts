import type { Dependency } from "../../model/service.ts";
import { hasEnded, hasStopped, observedState, type Task } from "../../model/task.ts";
import { dependenciesOf } from "../../plan/dependencies.ts";
import { endSentence, type SlotTask, stateOf } from "../../plan/slots.ts";
import type { WantedService } from "../../plan/wanted.ts";
import { decideRestart } from "../orchestrate/restart.ts";
import { slotNames } from "../orchestrate/slot-names.ts";
import { updateOrder } from "../rollout/order.ts";
import { type ClusterState, serviceKey } from "../state.ts";

/** Why a prepared task is not started yet. */
export interface Blocker {
  /** "waits for db-1 to be healthy: …" */
  sentence: string;
  /** Nothing that Berth does will change it: somebody has to. */
  hopeless: boolean;
  /** It passes by itself at this time. */
  until_ms?: number;
}

/** Everything that holds the task at the gate now; empty: it may run. */
export function blockersOf(state: ClusterState, task: Task, now_ms: number): Blocker[] {
  const blockers: Blocker[] = [];
  const wanted = state.wantedOf(task.app).get(task.service);
  if (!wanted) return [{ sentence: `service ${task.service} is no longer wanted`, hopeless: true }];
  blockers.push(...slotBlockers(state, wanted, task), ...firstBlockers(state, wanted, task));
  if (task.notBefore_ms !== undefined && task.notBefore_ms > now_ms) {
    const wait_s = Math.ceil((task.notBefore_ms - now_ms) / 100) / 10;
    blockers.push({ sentence: `waits ${wait_s} s before it restarts`, hopeless: false, until_ms: task.notBefore_ms });
  }
  for (const [name, dependency] of Object.entries(dependenciesOf(wanted.service))) {
    blockers.push(...dependencyBlockers(state, task.app, name, dependency));
  }
  return blockers;
}

/** The tasks before it in its slot must have ended, unless the update starts first and stops then. */
function slotBlockers(state: ClusterState, wanted: WantedService, task: Task): Blocker[] {
  const startFirst = task.container === undefined && updateOrder(wanted) === "start-first";
  return state
    .tasksOf(task.app, task.service)
    .filter(
      ({ task: other, status }) =>
        other.slot === task.slot && other.sequence < task.sequence && !hasStopped(other, status) && !startFirst,
    )
    .map(({ task: other, status }) => ({
      sentence: `waits for task ${other.id} before it to end (it is ${observedState(other, status)})`,
      hopeless: false,
    }));
}

/** A pre_start hook with `per_replica: false` is run by the first task alone, and the others start after it (Compose Specification, pre_start). */
function firstBlockers(state: ClusterState, { app, service }: WantedService, task: Task): Blocker[] {
  if (task.number === 1 || task.container !== undefined || service.schedule) return [];
  if (!service.preStart.some(({ perReplica }) => perReplica === false)) return [];
  const firsts = state
    .tasksOf(app, service.name)
    .filter(({ task: other }) => other.number === 1 && other.generation === task.generation);
  if (firsts.length === 0 || firsts.some(({ status }) => status?.startedAt !== undefined)) return [];
  const first = firsts.at(-1)!;
  const sentence = `waits for ${service.name}-1 to run the service's pre_start hooks: it is ${stateOf(first)}${detail(first)}`;
  return [{ sentence, hopeless: false }];
}

function dependencyBlockers(state: ClusterState, app: string, name: string, dependency: Dependency): Blocker[] {
  const wanted = state.wantedOf(app).get(name);
  const blocker = (sentence: string, hopeless = false): Blocker[] =>
    hopeless && !dependency.required ? [] : [{ sentence, hopeless }];
  if (!wanted) return blocker(`depends on service ${name}, which does not run`, true);
  if (wanted.state !== "running") return blocker(`depends on service ${name}, which is stopped`, true);
  const slots = slotNames(state, wanted);
  const tasks = state.tasksOf(app, name);
  if (slots.length === 0) return blocker(`depends on service ${name}, which is to have no tasks`, true);
  for (const slot of slots) {
    const current = currentOf(
      state,
      wanted,
      tasks.filter(({ task }) => task.slot === slot),
    );
    if (!current) return blocker(`waits for ${name}-${slot}, which has no task of this version yet`);
    const found = unmet(dependency, wanted, current);
    if (found) return blocker(found.sentence, found.hopeless);
  }
  return [];
}

/** The slot's task as the dependency is wanted now. While an update is held up, the one that runs will do. */
function currentOf(state: ClusterState, wanted: WantedService, tasks: SlotTask[]): SlotTask | undefined {
  const newest = tasks
    .filter(({ task }) => task.wanted !== "removed")
    .sort((a, b) => b.task.sequence - a.task.sequence);
  const fitting = newest.find(({ task }) => task.generation === wanted.generation);
  if (fitting) return fitting;
  const rollout = state.rollouts.get(serviceKey(wanted.app, wanted.name));
  const heldUp = rollout !== undefined && rollout.state !== "updating" && rollout.state !== "rolling-back";
  return heldUp ? newest.find(entry => !hasEnded(stateOf(entry))) : undefined;
}

function unmet(dependency: Dependency, wanted: WantedService, entry: SlotTask): Omit<Blocker, "until_ms"> | undefined {
  const { task, status } = entry;
  const name = `${task.service}-${task.number}`;
  const current = stateOf(entry);
  const ended = hasEnded(current) && current !== "complete";
  const over = ended && status !== undefined && !decideRestart(wanted.service, task, status).restart;
  switch (dependency.condition) {
    case "service_started":
      if (current === "running" || current === "complete" || status?.startedAt) return undefined;
      return over
        ? { sentence: `waits for ${name} to start, but ${endSentence(entry)}`, hopeless: true }
        : { sentence: `waits for ${name} to start: it is ${current}${detail(entry)}`, hopeless: false };
    case "service_completed_successfully":
      if (current === "complete") return undefined;
      return over
        ? { sentence: `waits for ${name} to complete, but ${endSentence(entry)}`, hopeless: true }
        : { sentence: `waits for ${name} to complete: it is ${current}${detail(entry)}`, hopeless: false };
    case "service_healthy":
      return unhealthy(wanted, entry, name, over);
  }
}

function unhealthy(
  wanted: WantedService,
  entry: SlotTask,
  name: string,
  over: boolean,
): Omit<Blocker, "until_ms"> | undefined {
  const { task, status } = entry;
  const current = stateOf(entry);
  const health = status?.health;
  if (over || current === "complete") {
    return { sentence: `waits for ${name} to be healthy, but ${endSentence(entry)}`, hopeless: true };
  }
  if (current !== "running") {
    return { sentence: `waits for ${name} to be healthy: it is ${current}${detail(entry)}`, hopeless: false };
  }
  if (health?.status === "healthy") return undefined;
  if (!health || health.status === "none") {
    return { sentence: `waits for ${name} to be healthy, but it has no health check`, hopeless: true };
  }
  const hopeless = health.status === "unhealthy" && !decideRestart(wanted.service, task, status).restart;
  return { sentence: `waits for ${name} to be healthy: it is ${health.status}${probeText(entry)}`, hopeless };
}

/** ", last probe ended with 1: connection refused" */
function probeText({ status }: SlotTask): string {
  const probe = status?.health?.probe;
  if (!probe) return ", no probe has ended yet";
  const output = probe.output.trim().split("\n").at(-1)?.slice(0, 200);
  return `, last probe ended with ${probe.exitCode}${output ? `: ${output}` : ""}`;
}

function detail({ status }: SlotTask): string {
  return status?.message ? ` (${status.message})` : "";
}
