import { containerName } from "../../model/names.ts";
import { hasStopped, type Task, wantedRank } from "../../model/task.ts";
import { emptyView, type HostView, noWish } from "../../schedule/host-view.ts";
import { firstRefusal, place } from "../../schedule/place.ts";
import { type PlacementRequest, requestOf, take, without } from "../../schedule/request.ts";
import { keys } from "../keys.ts";
import { type Loop, nothing, put } from "../loop.ts";
import type { ClusterState } from "../state.ts";

/** Gives tasks their hosts; what fits nowhere keeps the reasons, and is tried again when hosts or tasks change. */
export const placeLoop: Loop = {
  name: "place",

  *concerns({ kind, task }, state) {
    if (kind === "host" || kind === "hostWish") yield* this.all(state);
    if (!task) return;
    if (isUnplaced(task)) yield task.id;
    // Room was made: somebody who waits may fit now.
    if (kind === "task" && wantedRank(task.wanted) >= wantedRank("shutdown")) yield* waiting(state);
    if (kind === "status" && hasStopped(task, state.statuses.get(task.id))) yield* waiting(state);
  },

  *all(state) {
    for (const task of state.tasks.values()) if (isUnplaced(task)) yield task.id;
  },

  tick(id, { state }) {
    const task = state.tasks.get(id);
    if (!task || !isUnplaced(task)) return nothing;
    const request = requestFor(state, task);
    if (!request) return nothing;
    const only = state.hosts.has(task.slot) ? task.slot : undefined;
    const views = viewsOf(state);
    const beside = besideEarlier(state, task, request, views);
    if (beside) return { writes: [[put(state, keys.task(id), placed(task, beside))]], wakes: [] };
    const answer = place(request, views, only);
    if (answer.placed) {
      return { writes: [[put(state, keys.task(id), placed(task, answer.view.host.id))]], wakes: [] };
    }
    if (JSON.stringify(answer.reasons) === JSON.stringify(task.refusals)) return nothing;
    return { writes: [[put(state, keys.task(id), { ...task, refusals: answer.reasons })]], wakes: [] };
  },
};

function placed({ refusals, ...task }: Task, host: string): Task {
  return { ...task, host };
}

/** The host of the task that this one replaces, where it still fits: what that one holds counts for both. */
function besideEarlier(
  state: ClusterState,
  task: Task,
  request: PlacementRequest,
  views: HostView[],
): string | undefined {
  const earlier = state
    .tasksOf(task.app, task.service)
    .find(
      ({ task: other, status }) =>
        other.slot === task.slot && other.sequence < task.sequence && other.host && !hasStopped(other, status),
    );
  const view = earlier && views.find(({ host }) => host.id === earlier.task.host);
  const held = earlier && requestFor(state, earlier.task);
  if (!view || !held) return undefined;
  return firstRefusal(request, without(view, held)) === undefined ? view.host.id : undefined;
}

function isUnplaced(task: Task): boolean {
  return task.host === undefined && wantedRank(task.wanted) <= wantedRank("running");
}

function* waiting(state: ClusterState): Iterable<string> {
  for (const task of state.tasks.values()) if (task.refusals && isUnplaced(task)) yield task.id;
}

function requestFor(state: ClusterState, task: Task): PlacementRequest | undefined {
  const service = state.version(task.app, task.version)?.app.services[task.service];
  return service && requestOf(containerName(task.app, task.service, task.number), task.app, service);
}

const views = new WeakMap<ClusterState, { revision: number; views: HostView[] }>();

/** Hosts with what is on them; one answer for all tasks of a tick, since each placement counts for the next. */
function viewsOf(state: ClusterState): HostView[] {
  const known = views.get(state);
  if (known?.revision === state.revision) return known.views;
  const byHost = new Map<string, HostView>();
  for (const host of state.hosts.values()) {
    byHost.set(host.id, emptyView(host, state.hostWishes.get(host.id) ?? noWish));
  }
  const slots = new Set<string>();
  for (const task of state.tasks.values()) {
    const view = task.host === undefined ? undefined : byHost.get(task.host);
    if (!view || hasStopped(task, state.statuses.get(task.id))) continue;
    // A slot's old and new task count once: the one stops for the other.
    const slot = `${task.app}/${task.service}/${task.slot}`;
    if (slots.has(slot)) continue;
    slots.add(slot);
    const request = requestFor(state, task);
    if (request) take(view, request);
  }
  const made = [...byHost.values()];
  views.set(state, { revision: state.revision, views: made });
  return made;
}
