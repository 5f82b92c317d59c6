import { existsSync } from "node:fs";
import type { ContainerState, ContainerStatus, HealthState } from "../../model/container.ts";
import type { EngineContext } from "../context.ts";
import { readJson } from "../state/json-file.ts";
import { type Observed, observe } from "../state/observe.ts";
import type { StoredState } from "../state/record.ts";

export interface Look {
  stored: StoredState;
  observed: Observed;
}

/** What is known and what is to be seen of a container; needs no lock and changes nothing. */
export function look(context: EngineContext, id: string, stored = context.store.state(id)): Look {
  const { paths, locks, bootId, runtime } = context;
  const bundle = paths.bundle(id);
  const observed = observe({
    state: stored,
    bootId,
    hasBundle: existsSync(bundle),
    isAlive: () => locks.isHeld(paths.alive(id)),
    exit: () => runtime.exitOf({ id, bundle }),
  });
  return { stored, observed };
}

export function isRunning({ stored, observed }: Look): boolean {
  return stored.phase === "running" && (observed.kind === "running" || observed.kind === "unmonitored");
}

/** The state as users see it: derived, never simply read. */
export function containerState(context: EngineContext, id: string): ContainerState {
  const seen = look(context, id);
  const { stored, observed } = seen;
  const running = isRunning(seen);
  const state: ContainerState = {
    status: statusOf(seen),
    pid: running ? stored.pid : 0,
    exitCode: running ? 0 : stored.exitCode,
    oomKilled: stored.oomKilled,
    error: stored.error,
    startedAt: stored.startedAt,
    finishedAt: stored.finishedAt,
    health: running ? readJson<HealthState>(context.paths.health(id)) : stored.lastHealth,
    restartCount: stored.restartCount,
    stoppedByUser: stored.stoppedByUser,
  };
  if (observed.kind === "unmonitored") state.error = monitorLost;
  if (observed.kind === "ended") {
    state.exitCode = observed.exit.exitCode;
    state.oomKilled = observed.exit.oomKilled;
    state.finishedAt = new Date(observed.exit.finished_ms).toISOString();
  }
  if (observed.kind === "lost") {
    state.exitCode = lostExitCode;
    state.error = observed.reason;
  }
  return state;
}

/** What the exit code of a run is taken to be when nobody could see it. */
export const lostExitCode = 255;
export const monitorLost = "unmonitored: its monitor was killed, so its output and exit code are lost from then on";

function statusOf(seen: Look): ContainerStatus {
  const { stored } = seen;
  if (isRunning(seen)) return stored.paused ? "paused" : "running";
  if (stored.phase === "dead") return "dead";
  if (stored.restart !== undefined) return "restarting";
  if (stored.phase === "created" && seen.observed.kind !== "ended") return "created";
  return "exited";
}
