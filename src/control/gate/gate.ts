import { keys } from "../keys.ts";
import { type Loop, put, type TickResult } from "../loop.ts";
import { dependentsOf } from "../services.ts";
import { type ClusterState, serviceKey } from "../state.ts";
import { blockersOf } from "./conditions.ts";

/** Lets prepared tasks run when nothing holds them any more: what they depend on, the task before them, the delay of a restart. */
export const gate: Loop = {
  name: "gate",

  *concerns({ kind, name, task }, state) {
    if (task) {
      yield serviceKey(task.app, task.service);
      for (const other of dependentsOf(state, task.app, task.service)) yield serviceKey(task.app, other);
    } else if (kind === "rollout") {
      const [app, service] = name.split("/") as [string, string];
      yield name;
      for (const other of dependentsOf(state, app, service)) yield serviceKey(app, other);
    } else if (kind === "app") yield* ofApp(state, name);
  },

  *all(state) {
    for (const app of state.apps.keys()) yield* ofApp(state, app);
  },

  tick(key, { state, now_ms }) {
    const [app, name] = key.split("/") as [string, string];
    const result: TickResult = { writes: [], wakes: [] };
    for (const { task } of state.tasksOf(app, name)) {
      if (task.wanted !== "ready") continue;
      const blockers = blockersOf(state, task, now_ms);
      for (const { until_ms } of blockers) if (until_ms !== undefined) result.wakes.push({ key, at_ms: until_ms });
      if (blockers.length > 0) continue;
      const next = { ...task, wanted: "running", wantedCause: "nothing holds it", wantedAt_ms: now_ms };
      result.writes.push([put(state, keys.task(task.id), next)]);
    }
    return result;
  },
};

function* ofApp(state: ClusterState, app: string): Iterable<string> {
  for (const service of state.servicesWithTasks(app)) yield serviceKey(app, service);
}
