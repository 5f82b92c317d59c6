import { hasEnded, hasStopped, type Task, type WantedState, wantedRank } from "../../model/task.ts";
import { dependenciesOf } from "../../plan/dependencies.ts";
import { type SlotStep, type SlotTask, slotSteps, slotsOf, stateOf } from "../../plan/slots.ts";
import type { WantedService } from "../../plan/wanted.ts";
import { keys } from "../keys.ts";
import { type Loop, put, type TickInput, type TickResult, type Write } from "../loop.ts";
import { dependenciesWithTasks, serviceDefinition } from "../services.ts";
import { type ClusterState, serviceKey } from "../state.ts";
import { newTask } from "./new-task.ts";
import { decideRestart } from "./restart.ts";
import { slotNames } from "./slot-names.ts";

/** Makes the tasks that a service lacks, ends those that it has too many, restarts what ended. Replacing what runs is the rollout's. */
export const orchestrate: Loop = {
  name: "orchestrate",

  *concerns({ kind, name, task }, state) {
    if (task) {
      yield serviceKey(task.app, task.service);
      for (const other of dependenciesWithTasks(state, task.app, task.service)) yield serviceKey(task.app, other);
    } else if (kind === "app") yield* servicesOf(state, name);
    else if (kind === "rollout") yield name;
    else if (kind === "host" || kind === "hostWish") yield* this.all(state);
  },

  *all(state) {
    for (const app of state.apps.keys()) yield* servicesOf(state, app);
  },

  tick(key, input) {
    const [app, name] = key.split("/") as [string, string];
    const wanted = input.state.wantedOf(app).get(name);
    const tasks = input.state.tasksOf(app, name);
    const result: TickResult = { writes: [], wakes: [] };
    if (!wanted) endService(input, app, name, tasks, result);
    else {
      const steps = slotSteps(wanted, slotNames(input.state, wanted), slotsOf(tasks), input.state.specHashOf);
      for (const step of steps) doStep(input, wanted, step, tasks, result);
      setPaused(input.state, wanted, tasks, result);
    }
    return result;
  },
};

function* servicesOf(state: ClusterState, app: string): Iterable<string> {
  const names = new Set([...Object.keys(state.apps.get(app)?.services ?? {}), ...state.servicesWithTasks(app)]);
  for (const name of names) yield serviceKey(app, name);
}

/** The app does not have the service any more, or is gone. */
function endService(input: TickInput, app: string, name: string, tasks: readonly SlotTask[], result: TickResult): void {
  if (tasks.length === 0 || stopBlockers(input.state, app, name).length > 0) return;
  const cause = `service ${name} is no longer wanted`;
  for (const { task } of tasks) result.writes.push(want(input, task, "removed", cause));
}

function doStep(
  input: TickInput,
  wanted: WantedService,
  step: SlotStep,
  all: readonly SlotTask[],
  result: TickResult,
): void {
  const { slot, cause, task: before } = step;
  // Most steps keep what there is: of many slots only those that end are gathered.
  const tasks = () => all.filter(({ task }) => task.slot === slot);
  for (const { task } of step.surplus) {
    if (step.action !== "stop")
      result.writes.push(want(input, task, "removed", `task ${before?.task.id ?? ""} serves`));
  }
  switch (step.action) {
    case "create": {
      const task = newTask(input, wanted, { slot, cause });
      result.writes.push([put(input.state, keys.task(task.id), task)]);
      break;
    }
    case "start":
      result.writes.push(follow(input, wanted, before!, { cause, restart: false }));
      break;
    case "remove":
      if (wanted.state === "removed" && stopBlockers(input.state, wanted.app, wanted.name).length > 0) break;
      for (const { task } of tasks()) result.writes.push(want(input, task, "removed", cause));
      break;
    case "stop":
      if (stopBlockers(input.state, wanted.app, wanted.name).length > 0) break;
      for (const entry of tasks()) {
        if (!hasEnded(stateOf(entry))) result.writes.push(want(input, entry.task, "shutdown", cause));
      }
      break;
    case "keep":
      if (before && wanted.state === "running") restartIfWanted(input, wanted, before, result);
      break;
  }
}

function restartIfWanted(input: TickInput, wanted: WantedService, before: SlotTask, result: TickResult): void {
  if (
    !before.status ||
    wantedRank(before.task.wanted) > wantedRank("running") ||
    isRolling(input.state, wanted, before.task)
  )
    return;
  const decision = decideRestart(wanted.service, before.task, before.status);
  if (!decision.restart) return;
  const options = { cause: decision.cause, restart: true, notBefore_ms: decision.at_ms };
  result.writes.push(follow(input, wanted, before, options));
}

/** A failing new task is the rollout's to judge first: it may roll back rather than try again. */
function isRolling(state: ClusterState, wanted: WantedService, task: Task): boolean {
  const rollout = state.rollouts.get(serviceKey(wanted.app, wanted.name));
  return (
    rollout !== undefined &&
    (rollout.state === "updating" || rollout.state === "rolling-back") &&
    rollout.slots.includes(task.slot) &&
    !rollout.failed.includes(task.id)
  );
}

/** The next task of a slot, in the container of the one before it, which is given up in the same commit. */
export function follow(
  input: TickInput,
  wanted: WantedService,
  before: SlotTask,
  options: { cause: string; restart: boolean; notBefore_ms?: number },
): Write[] {
  const fits = input.state.specHashOf(before.task) === wanted.specHash;
  const task = newTask(input, wanted, { ...options, slot: before.task.slot, before, sameContainer: fits });
  return [
    put(input.state, keys.task(task.id), task),
    ...want(input, before.task, "removed", `task ${task.id} follows it: ${options.cause}`),
  ];
}

/** Wants a later state of a task; nothing where that is wanted already. */
export function want({ state, now_ms }: TickInput, task: Task, wanted: WantedState, cause: string): Write[] {
  if (wantedRank(wanted) <= wantedRank(task.wanted)) return [];
  const record = state.apps.get(task.app);
  const goes = record?.wanted === "removed";
  const removeVolumes = wanted === "removed" && goes && record.removeVolumes;
  const stopTimeout_ms = goes ? record.stopTimeout_ms : record?.services[task.service]?.stopTimeout_ms;
  const next: Task = {
    ...task,
    wanted,
    wantedCause: cause,
    wantedAt_ms: now_ms,
    ...(removeVolumes ? { removeVolumes } : {}),
    ...(stopTimeout_ms === undefined ? {} : { stopTimeout_ms }),
  };
  return [put(state, keys.task(task.id), next)];
}

/** Services that are going as well, depend on this one and still run: they stop first. */
export function stopBlockers(state: ClusterState, app: string, name: string): string[] {
  const wanted = state.wantedOf(app);
  const blockers: string[] = [];
  for (const other of state.servicesWithTasks(app)) {
    if (other === name || wanted.get(other)?.state === "running") continue;
    const service = serviceDefinition(state, app, other);
    if (!service || !(name in dependenciesOf(service))) continue;
    if (state.tasksOf(app, other).some(({ task, status }) => !hasStopped(task, status))) blockers.push(other);
  }
  return blockers;
}

function setPaused(state: ClusterState, wanted: WantedService, tasks: readonly SlotTask[], result: TickResult): void {
  const touched = new Set(result.writes.flat().map(write => write.key));
  for (const { task, status } of tasks) {
    const key = keys.task(task.id);
    if ((task.paused ?? false) === wanted.paused || touched.has(key) || hasStopped(task, status)) continue;
    result.writes.push([put(state, key, { ...task, paused: wanted.paused })]);
  }
}
