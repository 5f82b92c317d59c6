import type { AppRecord } from "../../model/app-record.ts";
import { hasEnded, hasStopped, observedState } from "../../model/task.ts";
import type { SlotTask } from "../../plan/slots.ts";
import { keys } from "../keys.ts";
import { type Loop, put, remove, type TickInput, type TickResult } from "../loop.ts";
import { slotNames } from "../orchestrate/slot-names.ts";
import { type ClusterState, serviceKey } from "../state.ts";

/** Ended tasks kept for each slot, and versions kept for each app. */
const keptTasks = 5;
const keptVersions = 25;

/** Forgets what is over: old tasks, old versions and their files, apps that are taken down whole. */
export const collect: Loop = {
  name: "collect",

  *concerns({ kind, name, task }, state) {
    if (task) yield task.app;
    else if (kind === "status") yield `status ${name}`;
    else if (["app", "rollout", "network", "volume", "version"].includes(kind)) {
      const app = kind === "network" || kind === "volume" ? "" : name.split("/")[0]!;
      if (app !== "") yield app;
      else for (const record of state.apps.values()) if (record.wanted === "removed") yield record.name;
    }
  },

  *all(state) {
    yield* state.apps.keys();
    for (const id of state.statuses.keys()) if (!state.tasks.has(id)) yield `status ${id}`;
  },

  tick(key, input) {
    const result: TickResult = { writes: [], wakes: [] };
    if (key.startsWith("status ")) {
      const id = key.slice("status ".length);
      if (!input.state.tasks.has(id) && input.state.statuses.has(id)) {
        result.writes.push([remove(input.state, keys.status(id))]);
      }
      return result;
    }
    collectTasks(input, key, result);
    const record = input.state.apps.get(key);
    if (record) {
      collectVersions(input.state, record, result);
      finishRemoval(input, record, result);
    }
    return result;
  },
};

function collectTasks({ state }: TickInput, app: string, result: TickResult): void {
  const wanted = state.wantedOf(app);
  for (const name of state.servicesWithTasks(app)) {
    const service = wanted.get(name);
    const slots = new Set(service && service.state !== "removed" ? slotNames(state, service) : []);
    const gone = state.tasksOf(app, name).filter(isOver);
    const bySlot = Map.groupBy(gone, ({ task }) => task.slot);
    for (const [slot, tasks] of bySlot) {
      const newestFirst = tasks.sort((a, b) => b.task.sequence - a.task.sequence);
      // A run of a schedule is a slot of its own, and its history is the schedule's to keep.
      const keep = slots.has(slot) && !service?.service.schedule ? keptTasks : 0;
      for (const { task } of newestFirst.slice(keep)) {
        result.writes.push([remove(state, keys.task(task.id)), remove(state, keys.status(task.id))]);
      }
    }
  }
}

/** Wanted away, and nothing of it is left on a host. */
function isOver({ task, status }: SlotTask): boolean {
  if (task.wanted !== "removed") return false;
  const state = observedState(task, status);
  return state === "removed" || state === "orphaned" || (task.host === undefined && hasStopped(task, status));
}

function collectVersions(state: ClusterState, record: AppRecord, result: TickResult): void {
  const versions = state.history(record.name);
  if (versions.length <= keptVersions) return;
  const used = new Set<number>([record.version]);
  for (const wish of Object.values(record.services)) used.add(wish.version);
  for (const { task } of state.tasksOfApp(record.name)) used.add(task.version);
  for (const name of Object.keys(record.services)) {
    const from = state.rollouts.get(serviceKey(record.name, name))?.fromVersion;
    if (from !== undefined) used.add(from);
  }
  for (const { number } of versions.slice(0, -keptVersions)) {
    if (used.has(number)) continue;
    const key = keys.version(record.name, number);
    result.writes.push([remove(state, key), remove(state, keys.outcome(record.name, number))]);
  }
  const kept = versions.slice(-keptVersions).concat(versions.filter(({ number }) => used.has(number)));
  const files = new Set(kept.flatMap(({ secrets, configs }) => [...Object.values(secrets), ...Object.values(configs)]));
  for (const [id, { app }] of state.files) {
    if (app === record.name && !files.has(id)) result.writes.push([remove(state, keys.file(id))]);
  }
}

/** The last step of `down`: nothing is left, so the services are forgotten. The record stays, with the history of versions. */
function finishRemoval({ state, now_ms }: TickInput, record: AppRecord, result: TickResult): void {
  if (record.wanted !== "removed" || Object.keys(record.services).length === 0) return;
  const left = state
    .tasksOfApp(record.name)
    .some(({ task, status }) => !hasEnded(observedState(task, status)) || !isOver({ task, status }));
  const networks = [...state.networks.values()].some(({ app }) => app === record.name);
  const volumes = record.removeVolumes && [...state.volumes.values()].some(({ app }) => app === record.name);
  if (left || networks || volumes) return;
  for (const name of Object.keys(record.services)) {
    if (state.schedules.has(serviceKey(record.name, name))) {
      result.writes.push([remove(state, keys.schedule(record.name, name))]);
    }
  }
  result.writes.push([put(state, keys.app(record.name), { ...record, services: {}, changedAt_ms: now_ms })]);
}
