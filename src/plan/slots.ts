import { hasEnded, observedState, type Task, type TaskState, type TaskStatus, wantedRank } from "../model/task.ts";
import type { WantedService } from "./wanted.ts";

export interface SlotTask {
  task: Task;
  status?: TaskStatus;
}

export type SlotAction =
  | "keep"
  /** There is none. */
  | "create"
  /** A new container. */
  | "replace"
  /** The same container again. */
  | "restart"
  /** It ended or was stopped; run it again. */
  | "start"
  | "stop"
  | "remove";

export interface SlotStep {
  slot: string;
  action: SlotAction;
  cause: string;
  /** The task that is kept, replaced, stopped …; absent for `create`. */
  task?: SlotTask;
  /** Tasks that are not needed whatever becomes of `task`: newer ones of a version that is not wanted any more. */
  surplus: SlotTask[];
}

/** A service's tasks that control has not given up, by slot, newest first. */
export type Slots = Map<string, SlotTask[]>;

/** Hash of what a task is made from (see WantedService.specHash); undefined when its version is not known any more. */
export type SpecHashOf = (task: Task) => string | undefined;

export function slotsOf(tasks: Iterable<SlotTask>): Slots {
  const slots: Slots = new Map();
  for (const entry of [...tasks].sort((a, b) => b.task.sequence - a.task.sequence)) {
    if (entry.task.wanted === "removed") continue;
    const slot = slots.get(entry.task.slot);
    if (slot) slot.push(entry);
    else slots.set(entry.task.slot, [entry]);
  }
  return slots;
}

export function stateOf({ task, status }: SlotTask): TaskState {
  return observedState(task, status);
}

/**
 * What is to be done to each slot so that the service is as wanted; one step a slot, decided alone and in no order: pace and order are the rollout's and the
 * gate's. `plan` foretells with it and the control loops act by it, so that both say the same. `slotNames` are the slots that the service is to have.
 */
export function slotSteps(
  wanted: WantedService,
  slotNames: string[],
  slots: Slots,
  specHashOf: SpecHashOf,
): SlotStep[] {
  const names = new Set(wanted.state === "removed" ? [] : slotNames);
  const steps = [...names].map(name => stepOf(wanted, name, slots.get(name) ?? [], specHashOf));
  for (const [slot, tasks] of slots) {
    if (names.has(slot)) continue;
    const [task, ...surplus] = tasks;
    steps.push({ slot, action: "remove", cause: removalCause(wanted, slot, names.size), task, surplus });
  }
  return steps;
}

function stepOf(wanted: WantedService, slot: string, tasks: SlotTask[], specHashOf: SpecHashOf): SlotStep {
  const current = currentTask(wanted, tasks);
  const step = (action: SlotAction, cause: string): SlotStep => ({
    slot,
    action,
    cause,
    task: current,
    surplus: current ? tasks.slice(0, tasks.indexOf(current)) : [],
  });
  if (wanted.state === "stopped") {
    const runs = tasks.some(task => task.task.wanted !== "shutdown" && !hasEnded(stateOf(task)));
    return runs
      ? step("stop", `service ${wanted.name} is to be stopped`)
      : step("keep", `service ${wanted.name} is stopped`);
  }
  // Runs of a schedule are made by the schedule, each of what the service was then.
  if (wanted.service.schedule && current) return step("keep", stateOf(current));
  if (!current) return step("create", `slot ${slot} of service ${wanted.name} has no task`);
  if (specHashOf(current.task) !== wanted.specHash) return step("replace", `service ${wanted.name} changed`);
  const restarted = current.task.generation !== wanted.generation;
  const restartCause =
    current.task.forced < wanted.forced || wanted.restartsWith.length === 0
      ? `a restart of service ${wanted.name} was asked for`
      : `it restarts with ${wanted.restartsWith.join(", ")}`;
  const stopped = current.task.wanted === "shutdown";
  if (!stopped && !hasEnded(stateOf(current))) {
    return restarted ? step("restart", restartCause) : step("keep", stateOf(current));
  }
  if (restarted) return step("start", restartCause);
  if (stopped) return step("start", endSentence(current));
  // It ended by itself. Whether it runs again is the restart policy's, unless somebody asked since; what succeeded is not repeated.
  const again = current.task.starts < wanted.starts && stateOf(current) !== "complete";
  return again ? step("start", endSentence(current)) : step("keep", endSentence(current));
}

/** The newest that fits and runs (or will), else the newest that runs, else the newest. */
function currentTask(wanted: WantedService, tasks: SlotTask[]): SlotTask | undefined {
  const alive = tasks.filter(entry => entry.task.wanted !== "shutdown" && !hasEnded(stateOf(entry)));
  return alive.find(({ task }) => task.generation === wanted.generation) ?? alive[0] ?? tasks[0];
}

/** "it ended with code 1", "it was stopped". */
export function endSentence({ task, status }: SlotTask): string {
  if (!status) return "it never started";
  if (status.hostLost) return "its host restarted";
  if (status.state === "shutdown" || wantedRank(task.wanted) > wantedRank("running")) return "it was stopped";
  if (status.state === "complete") return "it ended with code 0";
  if (status.message.startsWith("ended ")) return `it ${status.message}`;
  return `it ${status.state === "rejected" ? "was rejected" : status.state}: ${status.message}`;
}

function removalCause(wanted: WantedService, slot: string, replicas: number): string {
  if (wanted.state === "removed") return `service ${wanted.name} is no longer wanted`;
  return wanted.mode === "global" || wanted.mode === "global-job"
    ? `host ${slot} takes no task of service ${wanted.name}`
    : `service ${wanted.name} is to have ${replicas} task${replicas === 1 ? "" : "s"}`;
}
