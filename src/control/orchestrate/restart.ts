import type { DeployRestartPolicy } from "../../model/deploy.ts";
import type { Service } from "../../model/service.ts";
import type { Task, TaskStatus } from "../../model/task.ts";

export type RestartDecision = { restart: true; at_ms: number; cause: string } | { restart: false; reason: string };

const firstBackoff_ms = 100;
const longestBackoff_ms = 60_000;
/** A run of this length forgives the failures before it, as in Docker. */
const goodRun_ms = 10_000;
const defaultDelay_ms = 5000;

/**
 * Whether, when and why a task that ended, or is unhealthy, is to be followed by another in its container. `deploy.restart_policy` has swarm mode's meaning;
 * without it `restart` has Docker's (doubling delays from 100 ms to 60 s), and an unhealthy container counts as a failed one.
 */
export function decideRestart(service: Service, task: Task, status: TaskStatus): RestartDecision {
  const end = endOf(status);
  if (!end) return { restart: false, reason: "it runs" };
  if (status.hostLost) return { restart: true, at_ms: status.at_ms, cause: "its host restarted" };
  if (status.stoppedByUser) return no("it was stopped by hand");
  const job = service.deploy?.mode === "replicated-job" || service.deploy?.mode === "global-job" || service.schedule;
  if (job && end.succeeded) return no("its job is done");
  const policy = service.deploy?.restartPolicy;
  return policy ? byDeployPolicy(policy, task, status, end) : byRestart(service, task, status, end);
}

interface End {
  succeeded: boolean;
  sentence: string;
}

function endOf(status: TaskStatus): End | undefined {
  if (status.state === "complete") return { succeeded: true, sentence: "it ended with code 0" };
  if (status.state === "failed" || status.state === "rejected") {
    return {
      succeeded: false,
      sentence: status.message.startsWith("ended ") ? `it ${status.message}` : status.message,
    };
  }
  if (status.state === "running" && status.health?.status === "unhealthy") {
    const output = status.health.probe?.output.trim().split("\n").at(-1);
    return { succeeded: false, sentence: `it is unhealthy${output ? `: ${output}` : ""}` };
  }
  return undefined;
}

function byDeployPolicy(policy: DeployRestartPolicy, task: Task, status: TaskStatus, end: End): RestartDecision {
  if (policy.condition === "none") return no("its restart policy is none");
  if (policy.condition === "on-failure" && end.succeeded) return no("it succeeded, and restarts on failure only");
  const since_ms = policy.window_ms === undefined ? 0 : status.at_ms - policy.window_ms;
  const attempts = task.restarts.filter(at_ms => at_ms >= since_ms).length;
  if (policy.maxAttempts !== undefined && attempts >= policy.maxAttempts) {
    return no(`it was restarted ${attempts} times, which its policy allows at most`);
  }
  return { restart: true, at_ms: status.at_ms + (policy.delay_ms ?? defaultDelay_ms), cause: end.sentence };
}

function byRestart(service: Service, task: Task, status: TaskStatus, end: End): RestartDecision {
  const isJob = service.deploy?.mode === "replicated-job" || service.deploy?.mode === "global-job";
  const policy = service.restart ?? { name: isJob ? "on-failure" : "no" };
  if (policy.name === "no") return no("its restart policy is no");
  if (status.state === "running" && policy.onUnhealthy === false) return no("it is not restarted for bad health");
  if (policy.name === "on-failure" && end.succeeded) return no("it succeeded, and restarts on failure only");
  const inARow = restartsInARow(task, status);
  if (policy.name === "on-failure" && policy.maximumRetries && inARow >= policy.maximumRetries) {
    return no(`it was restarted ${inARow} times, which its policy allows at most`);
  }
  const delay_ms = Math.min(longestBackoff_ms, firstBackoff_ms * 2 ** inARow);
  return { restart: true, at_ms: status.at_ms + delay_ms, cause: end.sentence };
}

/** Restarts that no good run came after. */
function restartsInARow(task: Task, status: TaskStatus): number {
  if (status.startedAt && status.at_ms - Date.parse(status.startedAt) >= goodRun_ms) return 0;
  let count = 0;
  let later_ms = task.createdAt_ms;
  for (const at_ms of task.restarts.toReversed()) {
    if (later_ms - at_ms > longestBackoff_ms + goodRun_ms) break;
    later_ms = at_ms;
    count++;
  }
  return count;
}

function no(reason: string): RestartDecision {
  return { restart: false, reason };
}
