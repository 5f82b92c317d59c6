import { BerthError } from "../../base/errors.ts";
import { hasStopped, wantedRank } from "../../model/task.ts";
import { stateOf } from "../../plan/slots.ts";
import type { AppEvent, TaskView } from "../../ports/apps.ts";
import type { ControlPlane } from "../control-plane.ts";
import { settledness } from "../services-up.ts";
import type { ClusterState, StateChange } from "../state.ts";
import { taskView } from "./views.ts";

/** Whether what is followed is over: `undefined` while it goes on. Throws where it cannot succeed. */
export type Verdict = (state: ClusterState, now_ms: number) => { message: string } | undefined;

export interface FollowOptions {
  app: string;
  verdict: Verdict;
  timeout_ms?: number;
  signal?: AbortSignal;
}

/** Yields what happens to an app until the verdict is in. Leaving early changes nothing: what was wished stays wished. */
export async function* follow(
  control: ControlPlane,
  options: FollowOptions,
): AsyncGenerator<AppEvent, { message: string }> {
  const { mirror, parts } = control;
  const { app, verdict, timeout_ms, signal } = options;
  const teller = new Teller(app);
  const queue: AppEvent[] = [];
  let wake = () => {};
  let timedOut = false;
  let dirty = true;
  const stops = [
    mirror.onChange((changes, state) => {
      queue.push(...teller.tell(changes, state, parts.clock.now_ms()));
      dirty = true;
      wake();
    }),
    mirror.onReset(() => {
      dirty = true;
      wake();
    }),
  ];
  if (timeout_ms !== undefined) {
    stops.push(
      parts.clock.after(timeout_ms, () => {
        timedOut = true;
        wake();
      }),
    );
  }
  const onAbort = () => wake();
  signal?.addEventListener("abort", onAbort);
  try {
    for (;;) {
      while (queue.length > 0) yield queue.shift()!;
      signal?.throwIfAborted();
      if (dirty) {
        dirty = false;
        const found = verdict(mirror.state, parts.clock.now_ms());
        if (found) return found;
      }
      if (timedOut) throw timeoutError(mirror.state, app, timeout_ms!, parts.clock.now_ms());
      if (queue.length > 0 || dirty) continue;
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
  } finally {
    for (const stop of stops) stop();
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Turns changes of the state into events, each thing once. */
export class Teller {
  readonly #app: string | undefined;
  readonly #tasks = new Map<string, string>();
  readonly #waits = new Map<string, string>();

  constructor(app: string | undefined) {
    this.#app = app;
  }

  tell(changes: StateChange[], state: ClusterState, now_ms: number): AppEvent[] {
    const events: AppEvent[] = [];
    for (const { kind, name, task } of changes) {
      if (task && (this.#app === undefined || task.app === this.#app)) {
        if (state.tasks.has(task.id)) this.#task(events, taskView(state, state.taskWithStatus(task.id), now_ms));
        else {
          this.#tasks.delete(task.id);
          this.#waits.delete(task.id);
        }
      } else if (kind === "hostNetwork" || kind === "hostVolume") this.#resource(events, kind, name, state);
    }
    return events;
  }

  #task(events: AppEvent[], view: TaskView): void {
    const text = `${view.state} ${view.message} ${view.health?.status} ${view.wanted} ${view.paused}`;
    if (this.#tasks.get(view.task) !== text) {
      this.#tasks.set(view.task, text);
      events.push({ type: "task", ...view });
    }
    const reason = view.waits.join("; ");
    if (reason !== "" && this.#waits.get(view.task) !== reason) {
      events.push({ type: "waiting", name: view.name, service: view.service, reason });
    }
    this.#waits.set(view.task, reason);
  }

  #resource(events: AppEvent[], kind: "hostNetwork" | "hostVolume", name: string, state: ClusterState): void {
    const resource = name.slice(name.indexOf("/") + 1);
    const isNetwork = kind === "hostNetwork";
    const record = (isNetwork ? state.networks : state.volumes).get(resource);
    const status = (isNetwork ? state.hostNetworks : state.hostVolumes).get(name);
    if (!status || !record || (this.#app !== undefined && record.app !== this.#app)) return;
    const { state: is, message } = status;
    events.push({ type: "resource", kind: isNetwork ? "network" : "volume", name: resource, state: is, message });
  }
}

/** Over when the services are as wanted. Throws `conflict` with the reason where one cannot become so by itself. */
export function settledVerdict(app: string, services: string[] | undefined, wait: "started" | "healthy"): Verdict {
  return (state, now_ms) => {
    let busy = false;
    for (const wanted of state.wantedOf(app).values()) {
      if (services && !services.includes(wanted.name)) continue;
      const settled = settledness(state, wanted, now_ms, wait === "healthy");
      if (settled.state === "failed")
        throw new BerthError("conflict", settled.message, { hint: `ask 'berth why ${wanted.name}'` });
      if (settled.state === "busy") busy = true;
    }
    return busy || leaving(state, app) ? undefined : { message: "" };
  };
}

/** Tasks of services that the app does not have any more are still going. */
function leaving(state: ClusterState, app: string): boolean {
  const wanted = state.wantedOf(app);
  return [...state.servicesWithTasks(app)].some(
    name => !wanted.has(name) && state.tasksOf(app, name).some(({ task, status }) => !hasStopped(task, status)),
  );
}

/** Over when nothing of the app is left. */
export function removedVerdict(app: string): Verdict {
  return state => {
    const record = state.apps.get(app);
    return !record || Object.keys(record.services).length === 0 ? { message: "" } : undefined;
  };
}

function timeoutError(state: ClusterState, app: string, timeout_ms: number, now_ms: number): BerthError {
  const late = state
    .tasksOfApp(app)
    .filter(entry => wantedRank(entry.task.wanted) <= 1 && stateOf(entry) !== "complete")
    .map(entry => taskView(state, entry, now_ms))
    .filter(view => view.state !== "running" || (view.health && view.health.status !== "healthy"))
    .map(
      view =>
        `${view.name} is ${view.health?.status ?? view.state}${view.waits.length > 0 ? `: ${view.waits.join("; ")}` : ""}`,
    );
  return new BerthError(
    "timeout",
    `${app} was not done after ${timeout_ms / 1000} s: ${late.slice(0, 10).join("; ") || "tasks are still stopping"}`,
    {
      hint: "it goes on by itself: look with 'berth ps' and 'berth why', or give more time with --timeout",
      retryable: false,
    },
  );
}
