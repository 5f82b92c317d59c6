import { isCode } from "../../base/errors.ts";
import type { HealthState } from "../../model/container.ts";
import { forceEnd, waitEnded } from "../containers/signal-container.ts";
import type { EngineContext } from "../context.ts";
import { effectiveHealthCheck, nextHealth, nextProbeDelay_ms } from "../health-transition.ts";
import { containerEvent } from "../lifecycle/attributes.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { withContainer } from "../lifecycle/settle.ts";
import { signalNumber } from "../signals.ts";
import { readJson, writeJson } from "../state/json-file.ts";
import type { ContainerConfig } from "../state/record.ts";
import { runProbe } from "./probe.ts";

const unknown: HealthState = { status: "starting", failingStreak: 0, log: [] };

/** Runs the health checks of one run of a container; returns when the run has ended, or the signal says so. */
export async function watchHealth(context: EngineContext, config: ContainerConfig, signal: AbortSignal): Promise<void> {
  const check = effectiveHealthCheck(config.process.healthCheck);
  const { startedAt } = context.store.state(config.id);
  if (check === undefined || startedAt === undefined) return;
  const path = context.paths.health(config.id);
  const started_ms = Date.parse(startedAt);
  for (;;) {
    const state = readJson<HealthState>(path) ?? unknown;
    const sinceStart_ms = context.clock.now_ms() - started_ms;
    await context.clock.sleep(nextProbeDelay_ms(state, check, sinceStart_ms), { signal });
    const seen = look(context, config.id);
    if (!isRunning(seen) || seen.stored.startedAt !== startedAt) return;
    // Frozen processes answer no probe, and are not ill.
    if (seen.stored.paused) continue;
    const probeStart_ms = context.clock.now_ms() - started_ms;
    const probe = await runProbe(context, config, check);
    signal.throwIfAborted();
    const after = look(context, config.id);
    if (!isRunning(after) || after.stored.startedAt !== startedAt) return;
    const next = nextHealth(state, probe, check, probeStart_ms);
    writeJson(path, next);
    if (next.status === state.status) continue;
    containerEvent(context, config, `health_status: ${next.status}`);
    const { restart } = context.store.config(config.id).spec;
    if (next.status === "unhealthy" && restart.onUnhealthy) {
      await endUnhealthy(context, config, startedAt);
      return;
    }
  }
}

/** Stops it as `stop` does, but on no user's behalf: its end leads to a restart. Noted before the signal, so that a kill of ours in between changes nothing. */
async function endUnhealthy(context: EngineContext, config: ContainerConfig, startedAt: string): Promise<void> {
  try {
    await withContainer(context, config.id, {}, async held => {
      if (!isRunning(look(context, held.id)) || held.state.startedAt !== startedAt) return;
      context.store.writeState(held.id, { ...held.state, unhealthy: true });
      await context.runtime.kill(held.id, String(signalNumber(config.process.stopSignal)));
    });
    if (await waitEnded(context, config.id, config.process.stopTimeout_ms)) return;
    await forceEnd(context, config.id, { byPolicy: true });
  } catch (thrown) {
    if (!isCode(thrown, "not_found")) throw thrown;
  }
}
