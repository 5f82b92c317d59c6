import type { AppRecord } from "../../model/app-record.ts";
import { builtImageName, containerName } from "../../model/names.ts";
import { type Task, wantedRank } from "../../model/task.ts";
import { type SlotTask, stateOf } from "../../plan/slots.ts";
import type { AppSummary, TaskView } from "../../ports/apps.ts";
import { blockersOf } from "../gate/conditions.ts";
import { slotNames } from "../orchestrate/slot-names.ts";
import { outcomeOf } from "../outcome/outcome.ts";
import type { ClusterState } from "../state.ts";

export function taskView(state: ClusterState, entry: SlotTask, now_ms: number): TaskView {
  const { task, status } = entry;
  const service = state.version(task.app, task.version)?.app.services[task.service];
  return {
    task: task.id,
    app: task.app,
    service: task.service,
    slot: task.slot,
    number: task.number,
    name: status?.containerName ?? service?.containerName ?? containerName(task.app, task.service, task.number),
    state: stateOf(entry),
    wanted: task.wanted,
    message: status?.message ?? task.refusals?.join("; ") ?? "",
    cause: task.cause,
    version: task.version,
    image: service?.image ?? builtImageName(task.app, task.service),
    imageId: task.imageId,
    host: task.host,
    containerId: status?.containerId,
    exitCode: status?.exitCode,
    health: status?.health,
    paused: status?.paused ?? false,
    ports: status?.ports ?? [],
    addresses: status?.addresses ?? {},
    createdAt_ms: task.createdAt_ms,
    startedAt: status?.startedAt,
    finishedAt: status?.finishedAt,
    restarts: task.restarts.length,
    waits: waitsOf(state, task, now_ms),
  };
}

export function waitsOf(state: ClusterState, task: Task, now_ms: number): string[] {
  return task.wanted === "ready" ? blockersOf(state, task, now_ms).map(({ sentence }) => sentence) : [];
}

/** In the order of services, slots and age; the newest task of a slot first. */
export function tasksInOrder(tasks: SlotTask[]): SlotTask[] {
  return tasks.sort(
    ({ task: a }, { task: b }) =>
      (a.service < b.service ? -1 : a.service > b.service ? 1 : 0) || a.number - b.number || b.sequence - a.sequence,
  );
}

export function appSummary(state: ClusterState, record: AppRecord): AppSummary {
  const version = state.version(record.name, record.version);
  const services: AppSummary["services"] = {};
  for (const wanted of state.wantedOf(record.name).values()) {
    const tasks = state.tasksOf(record.name, wanted.name);
    const running = tasks.filter(entry => stateOf(entry) === "running" && wantedRank(entry.task.wanted) <= 1);
    const slots = slotNames(state, wanted);
    services[wanted.name] = {
      wanted: wanted.state === "running" ? slots.length : 0,
      running: running.length,
      state: wanted.paused ? "paused" : wanted.state,
    };
  }
  const outcome = outcomeOf(state, record.name, record.version);
  return {
    name: record.name,
    version: record.version,
    outcome: outcome?.state ?? "running",
    message: outcome?.message ?? "",
    services,
    files: version?.app.files ?? [],
    directory: version?.app.directory ?? "",
    changedAt_ms: record.changedAt_ms,
  };
}
