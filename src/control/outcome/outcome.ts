import type { AppOutcome } from "../../model/app-record.ts";
import { keys } from "../keys.ts";
import { type Loop, put, type TickInput, type TickResult } from "../loop.ts";
import { settledness } from "../services-up.ts";
import { type ClusterState, serviceKey } from "../state.ts";

/** Writes down what became of each version: for `history`, and for those who wait for an `up`. */
export const outcome: Loop = {
  name: "outcome",

  *concerns({ kind, name, task }) {
    if (task) yield task.app;
    else if (kind === "app") yield name;
    else if (kind === "rollout") yield name.split("/")[0]!;
  },

  all: state => state.apps.keys(),

  tick(app, input) {
    const { state, now_ms } = input;
    const record = state.apps.get(app);
    const result: TickResult = { writes: [], wakes: [] };
    if (!record) return result;
    for (const version of state.history(app)) {
      if (version.number === record.version) continue;
      const known = outcomeOf(state, app, version.number);
      if (known?.state === "running") {
        const message = `version ${record.version} came before it was done`;
        result.writes.push(write(input, app, { number: version.number, state: "superseded", message, at_ms: now_ms }));
      }
    }
    const known = outcomeOf(state, app, record.version);
    const next = newestOutcome(state, app, now_ms);
    if (known?.state !== next.state || known.message !== next.message) {
      result.writes.push(write(input, app, { number: record.version, at_ms: now_ms, ...next }));
    }
    return result;
  },
};

export function outcomeOf(state: ClusterState, app: string, number: number): AppOutcome | undefined {
  return state.outcomes.get(keys.outcome(app, number).slice("outcome/".length));
}

/** What there is to say of the newest version now. */
export function newestOutcome(state: ClusterState, app: string, now_ms: number): Pick<AppOutcome, "state" | "message"> {
  const record = state.apps.get(app)!;
  if (record.wanted === "removed") return { state: "removed", message: "" };
  const services = [...state.wantedOf(app).values()];
  const rolledBack = services.find(({ name }) => state.rollouts.get(serviceKey(app, name))?.state === "rolled-back");
  let busy = Object.keys(record.services).length > services.length;
  for (const service of services) {
    const settled = settledness(state, service, now_ms);
    if (settled.state === "failed") return { state: "failed", message: settled.message };
    if (settled.state === "busy") busy = true;
  }
  if (busy) return { state: "running", message: "" };
  if (rolledBack) {
    const { message, fromVersion } = state.rollouts.get(serviceKey(app, rolledBack.name))!;
    return { state: "rolled-back", message: `${rolledBack.name} went back to version ${fromVersion}: ${message}` };
  }
  return { state: "succeeded", message: "" };
}

function write({ state }: TickInput, app: string, value: AppOutcome) {
  return [put(state, keys.outcome(app, value.number), value)];
}
