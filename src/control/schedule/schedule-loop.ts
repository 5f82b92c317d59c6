import { nextTime_ms } from "../../model/schedule.ts";
import type { ScheduleState } from "../../model/schedule-state.ts";
import type { Schedule } from "../../model/service.ts";
import { hasStopped } from "../../model/task.ts";
import type { SlotTask } from "../../plan/slots.ts";
import type { WantedService } from "../../plan/wanted.ts";
import { keys } from "../keys.ts";
import { type Loop, nothing, put, remove, type TickInput, type TickResult } from "../loop.ts";
import { newTask } from "../orchestrate/new-task.ts";
import { want } from "../orchestrate/orchestrate.ts";
import { type ClusterState, serviceKey } from "../state.ts";

/** A run that this much late is still on time: it is what waking up takes on a busy machine. */
const grace_ms = 10_000;
/** Missed times looked at, newest counted: a minute schedule after a week away. */
const mostMissed = 10_100;

/** Starts the runs of scheduled services when their time comes, and keeps the history that the schedule asks for. */
export const scheduleLoop: Loop = {
  name: "schedule",

  *concerns({ kind, name, task }, state) {
    if (kind === "app") yield* ofApp(state, name);
    else if (task && state.wantedOf(task.app).get(task.service)?.service.schedule) {
      yield serviceKey(task.app, task.service);
    }
  },

  *all(state) {
    for (const app of state.apps.keys()) yield* ofApp(state, app);
    yield* state.schedules.keys();
  },

  tick(key, input) {
    const [app, name] = key.split("/") as [string, string];
    const wanted = input.state.wantedOf(app).get(name);
    const schedule = wanted?.service.schedule;
    const known = input.state.schedules.get(key);
    if (!wanted || !schedule) {
      return known ? { writes: [[remove(input.state, keys.schedule(app, name))]], wakes: [] } : nothing;
    }
    if (wanted.state !== "running" || schedule.suspended) return nothing;
    const result: TickResult = { writes: [], wakes: [] };
    const tasks = input.state.tasksOf(app, name);
    const state = known ?? { handledAt_ms: input.now_ms, runs: 0 };
    const handled = handleDue(input, wanted, schedule, state, tasks, result);
    if (handled !== known) result.writes.push([put(input.state, keys.schedule(app, name), handled)]);
    const next_ms = nextTime_ms(schedule.cron, schedule.timeZone, handled.handledAt_ms);
    if (next_ms !== undefined) result.wakes.push({ key, at_ms: next_ms });
    forgetOldRuns(input, schedule, tasks, result);
    return result;
  },
};

function* ofApp(state: ClusterState, app: string): Iterable<string> {
  for (const { name, service } of state.wantedOf(app).values()) if (service.schedule) yield serviceKey(app, name);
}

function handleDue(
  input: TickInput,
  wanted: WantedService,
  schedule: Schedule,
  state: ScheduleState,
  tasks: readonly SlotTask[],
  result: TickResult,
): ScheduleState {
  const due_ms = newestDue_ms(schedule, state.handledAt_ms, input.now_ms);
  if (due_ms === undefined) return state;
  const at = new Date(due_ms).toISOString();
  const late_ms = input.now_ms - due_ms;
  if (late_ms > grace_ms && late_ms > schedule.startingDeadline_ms) {
    return {
      ...state,
      handledAt_ms: due_ms,
      skipped: `the run of ${at} was missed by ${Math.round(late_ms / 1000)} s`,
    };
  }
  const running = tasks.filter(({ task, status }) => task.wanted !== "removed" && !hasStopped(task, status));
  if (running.length > 0 && schedule.overlap === "forbid") {
    return { ...state, handledAt_ms: due_ms, skipped: `the run of ${at} was skipped: the one before is not over` };
  }
  if (schedule.overlap === "replace") {
    for (const { task } of running) result.writes.push(want(input, task, "shutdown", `the run of ${at} replaces it`));
  }
  const number = state.runs + 1;
  const cause = `the schedule "${schedule.cron}" names ${at}`;
  const task = newTask(input, wanted, { slot: `run-${number}`, number, cause, scheduledAt_ms: due_ms });
  result.writes.push([put(input.state, keys.task(task.id), task)]);
  return { handledAt_ms: due_ms, runs: number };
}

/** The newest time that the schedule names up to now; older missed ones are passed over. */
function newestDue_ms(schedule: Schedule, after_ms: number, now_ms: number): number | undefined {
  let newest: number | undefined;
  let from_ms = after_ms;
  for (let count = 0; count < mostMissed; count++) {
    const next_ms = nextTime_ms(schedule.cron, schedule.timeZone, from_ms);
    if (next_ms === undefined || next_ms > now_ms) return newest;
    newest = from_ms = next_ms;
  }
  return newest;
}

function forgetOldRuns(input: TickInput, schedule: Schedule, tasks: readonly SlotTask[], result: TickResult): void {
  const touched = new Set(result.writes.flat().map(({ key }) => key));
  const over = tasks
    .filter(
      ({ task, status }) => task.wanted !== "removed" && hasStopped(task, status) && !touched.has(keys.task(task.id)),
    )
    .sort((a, b) => b.task.createdAt_ms - a.task.createdAt_ms);
  const succeeded = over.filter(({ status }) => status?.state === "complete");
  const failed = over.filter(({ status }) => status?.state !== "complete");
  for (const { task } of [...succeeded.slice(schedule.keepSucceeded), ...failed.slice(schedule.keepFailed)]) {
    result.writes.push(want(input, task, "removed", "its schedule keeps no more finished runs"));
  }
}
