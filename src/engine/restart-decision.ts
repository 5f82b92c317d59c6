import type { RestartPolicy } from "../model/container.ts";

/** Docker's: 100 ms, doubled for each further restart up to a minute, and from the start again after a run of 10 s. */
const firstDelay_ms = 100;
const longestDelay_ms = 60_000;
const steadyRun_ms = 10_000;

export interface EndedRun {
  policy: RestartPolicy;
  exitCode: number;
  stoppedByUser: boolean;
  /** Restarts by policy so far. */
  restartCount: number;
  /** How long the run lasted. */
  ran_ms: number;
  /** Delay before this run, when it was itself a restart. */
  previousDelay_ms: number;
  /** It was stopped because its health check failed, and its policy restarts for that. */
  unhealthy: boolean;
}

export type RestartDecision = { restart: false } | { restart: true; delay_ms: number };

export function decideRestart(run: EndedRun): RestartDecision {
  if (!mayRestart(run)) return { restart: false };
  const steady = run.ran_ms >= steadyRun_ms || run.previousDelay_ms === 0;
  const delay_ms = steady ? firstDelay_ms : Math.min(longestDelay_ms, run.previousDelay_ms * 2);
  return { restart: true, delay_ms };
}

function mayRestart({ policy, exitCode, stoppedByUser, restartCount, unhealthy }: EndedRun): boolean {
  if (stoppedByUser) return false;
  if (unhealthy && !policy.maximumRetries) return true;
  switch (policy.name) {
    case "no":
      return false;
    case "always":
    case "unless-stopped":
      return true;
    case "on-failure":
      return (exitCode !== 0 || unhealthy) && (!policy.maximumRetries || restartCount < policy.maximumRetries);
  }
}

/** Whether a container found not running when the host has come up is to be started: Docker also brings back `always` that was stopped by hand. */
export function startsAtBoot(policy: RestartPolicy, state: { ran: boolean; stoppedByUser: boolean; exitCode: number }) {
  if (!state.ran) return false;
  if (policy.name === "always") return true;
  if (policy.name === "unless-stopped") return !state.stoppedByUser;
  return policy.name === "on-failure" && !state.stoppedByUser && state.exitCode !== 0;
}
