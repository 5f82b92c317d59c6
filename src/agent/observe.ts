import { isCode } from "../base/errors.ts";
import type { Container, ContainerState } from "../model/container.ts";
import type { TaskStatus } from "../model/task.ts";

/** What a look at the container says about its task, besides its state. */
export function observed(container: Container): Partial<TaskStatus> {
  const { state } = container;
  const addresses = Object.fromEntries(
    container.endpoints.filter(({ ipv4 }) => ipv4).map(({ networkName, ipv4 }) => [networkName, ipv4!]),
  );
  const probe = state.health?.log.at(-1);
  return {
    containerId: container.id,
    containerName: container.name,
    ...(state.startedAt ? { startedAt: state.startedAt } : {}),
    ports: container.publishedPorts,
    addresses,
    paused: state.status === "paused",
    ...(state.health && state.health.status !== "none"
      ? {
          health: {
            status: state.health.status,
            failingStreak: state.health.failingStreak,
            ...(probe ? { probe: { ...probe, output: probe.output.slice(0, 1024) } } : {}),
          },
        }
      : {}),
  };
}

export function isRunning(state: ContainerState): boolean {
  return state.status === "running" || state.status === "paused" || state.status === "restarting";
}

export function hasExited(state: ContainerState): boolean {
  return state.status === "exited" || state.status === "dead";
}

/** How a run ended. */
export function ended(state: ContainerState): Partial<TaskStatus> {
  const fields = {
    exitCode: state.exitCode,
    oomKilled: state.oomKilled,
    finishedAt: state.finishedAt,
    health: undefined,
  };
  if (state.exitCode === 0 && !state.error) return { ...fields, state: "complete", message: "ended with code 0" };
  const why = state.oomKilled
    ? " (killed: out of memory)"
    : state.error
      ? ` (${state.error})`
      : signalText(state.exitCode);
  return { ...fields, state: "failed", message: `ended with code ${state.exitCode}${why}` };
}

const signals: Record<number, string> = { 1: "HUP", 2: "INT", 3: "QUIT", 6: "ABRT", 9: "KILL", 11: "SEGV", 15: "TERM" };

function signalText(exitCode: number): string {
  const name = signals[exitCode - 128];
  return name === undefined ? "" : ` (signal ${name})`;
}

/** For operations that have nothing to do any more. */
export function ignoreOver(thrown: unknown): void {
  if (!isCode(thrown, "unchanged", "not_found")) throw thrown;
}
