import type { ContainerState, HealthState } from "../../model/container.ts";

/** How Go writes a time that never was. */
export const noTime = "0001-01-01T00:00:00Z";

export function stateOf(state: ContainerState) {
  const { status } = state;
  return {
    Status: status,
    Running: status === "running" || status === "paused" || status === "restarting",
    Paused: status === "paused",
    Restarting: status === "restarting",
    OOMKilled: state.oomKilled,
    Dead: status === "dead",
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt ?? noTime,
    FinishedAt: state.finishedAt ?? noTime,
    ...(state.health && state.health.status !== "none" ? { Health: healthOf(state.health) } : {}),
  };
}

function healthOf(health: HealthState) {
  return {
    Status: health.status,
    FailingStreak: health.failingStreak,
    Log: health.log.map(probe => ({
      Start: probe.startedAt,
      End: probe.endedAt,
      ExitCode: probe.exitCode,
      Output: probe.output,
    })),
  };
}

/** The sentence of `docker ps`: "Up 5 minutes (healthy)", "Exited (0) 2 hours ago". */
export function statusText(state: ContainerState, now_ms: number): string {
  const since = (time: string | undefined) => humanDuration(now_ms - Date.parse(time ?? ""));
  switch (state.status) {
    case "created":
      return "Created";
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "restarting":
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case "exited":
      return state.finishedAt ? `Exited (${state.exitCode}) ${since(state.finishedAt)} ago` : "Exited";
    case "paused":
      return `Up ${since(state.startedAt)} (Paused)`;
    case "running":
      return `Up ${since(state.startedAt)}${healthWord(state.health)}`;
  }
}

function healthWord(health: HealthState | undefined): string {
  if (health === undefined || health.status === "none") return "";
  return health.status === "starting" ? " (health: starting)" : ` (${health.status})`;
}

/** As go-units' HumanDuration has it, which clients show as it comes. */
export function humanDuration(duration_ms: number): string {
  const seconds = Math.max(0, Math.floor(duration_ms / 1000)) || 0;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.round(minutes / 60);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}
