import type { HealthCheck, HealthProbe, HealthState } from "../model/container.ts";

/** A check with Docker's defaults filled in. */
export interface EffectiveHealthCheck {
  test: string[];
  interval_ms: number;
  timeout_ms: number;
  startPeriod_ms: number;
  startInterval_ms: number;
  retries: number;
}

/** Probes kept in a container's state. */
const keptProbes = 5;
export const keptOutput_bytes = 4096;

/** Undefined where there is nothing to check: no test, or ["NONE"]. */
export function effectiveHealthCheck(check: HealthCheck | undefined): EffectiveHealthCheck | undefined {
  if (check === undefined || check.test.length === 0 || check.test[0] === "NONE") return undefined;
  return {
    test: check.test,
    interval_ms: check.interval_ms || 30_000,
    timeout_ms: check.timeout_ms || 30_000,
    startPeriod_ms: check.startPeriod_ms || 0,
    startInterval_ms: check.startInterval_ms || 5_000,
    retries: check.retries || 3,
  };
}

/** What to run for the check: ["CMD", …] as it is, ["CMD-SHELL", line] by the shell of the image. */
export function probeArguments(test: string[], shell: string[] = ["/bin/sh", "-c"]): string[] {
  const [kind, ...rest] = test;
  if (kind === "CMD") return rest;
  if (kind === "CMD-SHELL") return [...shell, rest.join(" ")];
  return test;
}

/** Failures in the start period do not count until the container was healthy once. `sinceStart_ms` is the probe's start. */
export function nextHealth(
  state: HealthState,
  probe: HealthProbe,
  check: EffectiveHealthCheck,
  sinceStart_ms: number,
): HealthState {
  const log = [...state.log, probe].slice(-keptProbes);
  if (probe.exitCode === 0) return { status: "healthy", failingStreak: 0, log };
  if (state.status === "starting" && sinceStart_ms < check.startPeriod_ms) return { ...state, log };
  const failingStreak = state.failingStreak + 1;
  return { status: failingStreak >= check.retries ? "unhealthy" : state.status, failingStreak, log };
}

export function nextProbeDelay_ms(state: HealthState, check: EffectiveHealthCheck, sinceStart_ms: number): number {
  const inStartPeriod = state.status === "starting" && sinceStart_ms < check.startPeriod_ms;
  return inStartPeriod ? check.startInterval_ms : check.interval_ms;
}
