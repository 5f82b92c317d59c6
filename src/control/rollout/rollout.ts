import type { Rollout } from "../../model/rollout.ts";
import { hasEnded, stateRank } from "../../model/task.ts";
import { dependenciesOf } from "../../plan/dependencies.ts";
import { slotSteps, slotsOf, stateOf } from "../../plan/slots.ts";
import type { WantedService } from "../../plan/wanted.ts";
import { keys } from "../keys.ts";
import { type Loop, nothing, put, remove, type TickInput, type TickResult } from "../loop.ts";
import { newTask } from "../orchestrate/new-task.ts";
import { follow, want } from "../orchestrate/orchestrate.ts";
import { slotNames } from "../orchestrate/slot-names.ts";
import { dependentsOf } from "../services.ts";
import { type ClusterState, serviceKey } from "../state.ts";
import { judge } from "./judge.ts";
import { type UpdateRules, updateOrder, updateRules } from "./order.ts";
import { type SlotProgress, slotProgress } from "./slot-progress.ts";

/** Replaces and restarts the tasks of a changed service, some at a time, and stops or goes back when the new ones fail. */
export const rollout: Loop = {
  name: "rollout",

  *concerns({ kind, name, task }, state) {
    if (task) yield serviceKey(task.app, task.service);
    else if (kind === "rollout") {
      const [app, service] = name.split("/") as [string, string];
      yield name;
      for (const other of dependentsOf(state, app, service)) yield serviceKey(app, other);
    } else if (kind === "app") yield* ofApp(state, name);
  },

  *all(state) {
    for (const app of state.apps.keys()) yield* ofApp(state, app);
    yield* state.rollouts.keys();
  },

  tick(key, input) {
    const [app, name] = key.split("/") as [string, string];
    const { state } = input;
    const wanted = state.wantedOf(app).get(name);
    const target = state.targetOf(app).get(name);
    const known = state.rollouts.get(key);
    if (!wanted || !target) return known ? { writes: [[remove(state, keys.rollout(app, name))]], wakes: [] } : nothing;
    if (wanted.state !== "running") return nothing;
    const tasks = state.tasksOf(app, name);
    const steps = slotSteps(wanted, slotNames(state, wanted), slotsOf(tasks), state.specHashOf);
    const outdated = steps.filter(({ action }) => action === "replace" || action === "restart");
    const record = recordFor(input, target, known, outdated.length > 0 ? steps : []);
    if (!record) return nothing;
    const rules = updateRules(wanted.service, record.state);
    const slots = steps
      .filter(({ action }) => action !== "remove")
      .map(step => slotProgress(wanted, step, tasks, rules, input.now_ms));
    return advance(input, wanted, target, { known, record, rules, slots });
  },
};

function* ofApp(state: ClusterState, app: string): Iterable<string> {
  for (const service of Object.keys(state.apps.get(app)?.services ?? {})) yield serviceKey(app, service);
}

/** The rollout under way or held up for this target; a new one where something is outdated; none where nothing was ever to do. */
function recordFor(
  { state, now_ms }: TickInput,
  target: WantedService,
  known: Rollout | undefined,
  steps: { task?: { task: { version: number } } }[],
): Rollout | undefined {
  if (known && known.version === target.version) {
    // A version that was rolled back stays so, whatever is restarted in it.
    if (known.generation === target.generation || known.state === "rolled-back") return known;
  }
  if (steps.length === 0) return undefined;
  const versions = steps.map(step => step.task?.task.version).filter(version => version !== undefined);
  const earlier = versions.filter(version => version < target.version && state.version(target.app, version));
  return {
    app: target.app,
    service: target.name,
    version: target.version,
    generation: target.generation,
    state: "updating",
    message: "",
    ...(earlier.length > 0 ? { fromVersion: Math.max(...earlier) } : {}),
    startedAt_ms: now_ms,
    failed: [],
    slots: [],
  };
}

interface Progress {
  known: Rollout | undefined;
  record: Rollout;
  rules: UpdateRules;
  slots: SlotProgress[];
}

function advance(input: TickInput, wanted: WantedService, target: WantedService, progress: Progress): TickResult {
  const { known, rules, slots } = progress;
  const key = serviceKey(wanted.app, wanted.name);
  const result: TickResult = { writes: [], wakes: [] };
  const judged = judge(progress.record, rules, slots, input.now_ms);
  for (const at_ms of judged.wakes_ms) result.wakes.push({ key, at_ms });
  let record = judged.rollout;
  if (record.state === progress.record.state) {
    for (const slot of slots) handOver(input, wanted, slot, result);
    if (record.state === "updating" || record.state === "rolling-back" || record.state === "rolled-back") {
      record = startNext(input, wanted, target, record, rules, slots, result);
    }
  }
  if (JSON.stringify(record) !== JSON.stringify(known)) {
    result.writes.push([put(input.state, keys.rollout(wanted.app, wanted.name), record)]);
  }
  return result;
}

/** Ends the earlier tasks of a slot when the new one is far enough: prepared (stop-first) or serving (start-first). */
function handOver(input: TickInput, wanted: WantedService, slot: SlotProgress, result: TickResult): void {
  const { next, before, ended } = slot;
  if (!next || before.length + ended.length === 0) return;
  const state = stateOf(next);
  const cause = `task ${next.task.id} takes its place: ${next.task.cause}`;
  // What ended holds back nobody, but what it leaves is taken over first.
  const prepared = stateRank(state) >= stateRank("ready") || next.status?.inherited !== undefined;
  if (prepared) for (const { task } of ended) result.writes.push(want(input, task, "removed", cause));
  if (hasEnded(state) && state !== "complete") return;
  const startFirst = updateOrder(wanted) === "start-first" && next.task.container === undefined;
  const ready = startFirst ? slot.up_ms !== undefined : stateRank(state) >= stateRank("ready");
  if (!ready && !resourcesChange(input.state, wanted)) return;
  for (const { task } of before) {
    result.writes.push(want(input, task, "removed", cause));
  }
}

/** A network or volume is made anew only when no container holds it: then nothing can be prepared beside what runs. */
function resourcesChange(state: ClusterState, wanted: WantedService): boolean {
  const version = state.version(wanted.app, wanted.version)?.app;
  if (!version) return false;
  const names = [
    ...Object.keys(wanted.service.networks).map(
      key => [state.networks, state.hostNetworks, version.networks[key]?.name] as const,
    ),
    ...wanted.service.mounts
      .filter(({ type, source }) => type === "volume" && source)
      .map(({ source }) => [state.volumes, state.hostVolumes, version.volumes[source!]?.name] as const),
  ];
  return names.some(([records, statuses, name]) => {
    const record = name === undefined ? undefined : records.get(name);
    if (!record) return false;
    return [...statuses].some(([key, status]) => key.endsWith(`/${name}`) && status.hash !== record.hash);
  });
}

function startNext(
  input: TickInput,
  wanted: WantedService,
  target: WantedService,
  record: Rollout,
  rules: UpdateRules,
  slots: SlotProgress[],
  result: TickResult,
): Rollout {
  const failed = new Set(record.failed);
  const todo = slots.filter(
    ({ slot, step, next }) =>
      (step.action === "replace" || step.action === "restart") &&
      !(record.slots.includes(slot) && next && failed.has(next.task.id)),
  );
  if (todo.length === 0 || waitsForDependencies(input.state, wanted)) return record;
  const running = slots.filter(
    ({ next, settled }) => next && !settled && !failed.has(next.task.id) && next.task.sequence > 1,
  );
  const inFlight = running.filter(({ slot }) => record.slots.includes(slot)).length;
  const wait_ms = groupWait_ms(record, rules, inFlight, input.now_ms);
  if (wait_ms > 0) {
    result.wakes.push({ key: serviceKey(wanted.app, wanted.name), at_ms: input.now_ms + wait_ms });
    return record.groupEndedAt_ms === undefined ? { ...record, groupEndedAt_ms: input.now_ms } : record;
  }
  const restartsOnly = todo.every(({ step }) => step.action === "restart") && !wanted.service.deploy?.updateConfig;
  const most = rules.parallelism === 0 || restartsOnly ? Infinity : rules.parallelism;
  const started = todo.slice(0, Math.max(0, most - inFlight));
  for (const slot of started) startSlot(input, wanted, slot, result);
  const { groupEndedAt_ms, ...rest } = record;
  const changed =
    started.length > 0 ? rest : { ...rest, ...(groupEndedAt_ms === undefined ? {} : { groupEndedAt_ms }) };
  return {
    ...changed,
    ...(record.state === "rolled-back" ? { generation: target.generation } : {}),
    slots: [...new Set([...record.slots, ...started.map(({ slot }) => slot)])],
  };
}

/** update_config.delay counts from the end of a group. */
function groupWait_ms(record: Rollout, rules: UpdateRules, inFlight: number, now_ms: number): number {
  if (rules.delay_ms === 0 || record.slots.length === 0) return 0;
  if (inFlight > 0) return rules.delay_ms;
  return (record.groupEndedAt_ms ?? now_ms) + rules.delay_ms - now_ms;
}

function startSlot(input: TickInput, wanted: WantedService, { step }: SlotProgress, result: TickResult): void {
  const before = step.task!;
  if (step.action === "restart") {
    result.writes.push(follow(input, wanted, before, { cause: step.cause, restart: false }));
    return;
  }
  const task = newTask(input, wanted, { slot: step.slot, cause: step.cause, before });
  result.writes.push([put(input.state, keys.task(task.id), task)]);
}

/** What it depends on is updated first. */
function waitsForDependencies(state: ClusterState, wanted: WantedService): boolean {
  return Object.keys(dependenciesOf(wanted.service)).some(name => {
    const other = state.wantedOf(wanted.app).get(name);
    if (other?.state !== "running") return false;
    const rolling = state.rollouts.get(serviceKey(wanted.app, name));
    const heldUp = rolling !== undefined && /paused|rolled-back/.test(rolling.state);
    if (heldUp) return false;
    const steps = slotSteps(other, slotNames(state, other), slotsOf(state.tasksOf(wanted.app, name)), state.specHashOf);
    return steps.some(({ action }) => action === "replace" || action === "restart");
  });
}
