import { rmSync } from "node:fs";
import type { HealthState } from "../../model/container.ts";
import type { ExitRecord } from "../../ports/runtime.ts";
import type { EngineContext } from "../context.ts";
import { decideRestart } from "../restart-decision.ts";
import { readJson } from "../state/json-file.ts";
import type { ContainerConfig, StoredState } from "../state/record.ts";
import { containerEvent } from "./attributes.ts";

/** Writes the end of a run down, once, with what follows from it. What the run leaves behind is for `cleanUpRun`. */
export function finishRun(
  context: EngineContext,
  config: ContainerConfig,
  stored: StoredState,
  exit: ExitRecord,
  reason: string,
): StoredState {
  // A finisher killed between writing this and cleaning up: only the cleaning is left.
  if (stored.phase === "exited" && !hasNewRun(stored, exit)) return stored;
  const started_ms = stored.startedAt === undefined ? exit.finished_ms : Date.parse(stored.startedAt);
  const ran_ms = Math.max(0, exit.finished_ms - started_ms);
  const decision = decideRestart({
    policy: config.spec.restart,
    exitCode: exit.exitCode,
    stoppedByUser: stored.stoppedByUser,
    restartCount: stored.restartCount,
    ran_ms,
    previousDelay_ms: stored.delayBefore_ms,
    unhealthy: stored.unhealthy ?? false,
  });
  const health = readJson<HealthState>(context.paths.health(config.id));
  const state: StoredState = {
    ...stored,
    phase: "exited",
    paused: false,
    pid: 0,
    pidStart: "",
    exitCode: exit.exitCode,
    oomKilled: exit.oomKilled,
    error: reason,
    finishedAt: new Date(exit.finished_ms).toISOString(),
    runs: stored.runs + 1,
    unhealthy: undefined,
    restart: decision.restart
      ? { at_ms: context.clock.now_ms() + decision.delay_ms, delay_ms: decision.delay_ms }
      : undefined,
    lastHealth: health === undefined ? undefined : { ...health, status: "unhealthy" },
    endpoints: [],
    publishedPorts: [],
  };
  context.store.writeState(config.id, state);
  rmSync(context.paths.health(config.id), { force: true });
  if (exit.oomKilled) containerEvent(context, config, "oom");
  containerEvent(context, config, "die", {
    exitCode: String(exit.exitCode),
    execDuration: String(Math.round(ran_ms / 1000)),
  });
  return state;
}

/** The exit of a run that was started and ended before its starter, killed meanwhile, could write that it runs. */
function hasNewRun(stored: StoredState, exit: ExitRecord): boolean {
  return stored.finishedAt !== undefined && Math.abs(Date.parse(stored.finishedAt) - exit.finished_ms) >= 1;
}
