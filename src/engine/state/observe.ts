import type { ExitRecord } from "../../ports/runtime.ts";
import { isSameProcess } from "./process-alive.ts";
import type { StoredState } from "./record.ts";

/** What locks, exit files and processes say about a container, beside what was last written down. */
export type Observed =
  /** Nothing to look after: what is written down is true. */
  | { kind: "settled" }
  /** Being started at this moment, or the starter was killed and left a monitor. */
  | { kind: "starting" }
  | { kind: "running" }
  /** It runs, but its monitor has been killed: its output and exit code will be lost. */
  | { kind: "unmonitored" }
  /** It has ended, and nobody has written that down yet. */
  | { kind: "ended"; exit: ExitRecord }
  /** It has ended and its exit code with it: monitor killed, or the host went down. */
  | { kind: "lost"; reason: string }
  /** A start or a clean-up was killed half-way; nothing runs. */
  | { kind: "leftover" };

export interface Evidence {
  state: StoredState;
  bootId: string;
  hasBundle: boolean;
  isAlive: () => boolean;
  exit: () => ExitRecord | undefined;
}

export function observe({ state, bootId, hasBundle, isAlive, exit }: Evidence): Observed {
  const running = state.phase === "running";
  if (running && state.bootId !== bootId) return { kind: "lost", reason: "the host was restarted" };
  if (!hasBundle) return running ? { kind: "lost", reason: "its run directory is gone" } : { kind: "settled" };
  const first = exit();
  if (first) return { kind: "ended", exit: first };
  if (isAlive()) return { kind: running ? "running" : "starting" };
  // conmon closes what it inherited, the lock too, some milliseconds before it writes the exit down.
  if (running && isSameProcess(state.monitorPid, state.monitorStart)) return { kind: "running" };
  // It may have written it and ended between the two looks.
  const second = exit();
  if (second) return { kind: "ended", exit: second };
  if (!running) return { kind: "leftover" };
  if (isSameProcess(state.pid, state.pidStart)) return { kind: "unmonitored" };
  return { kind: "lost", reason: "its monitor was killed, and the exit code is lost with it" };
}
