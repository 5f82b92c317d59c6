import type { EngineContext } from "../context.ts";
import type { StoredState } from "../state/record.ts";

/** Sees to it that somebody makes the restart that `state` announces: this process where it supervises, else one started for it. */
export function arrangeRestart(context: EngineContext, id: string, state: StoredState): void {
  if (state.restart === undefined) return;
  if (context.onPendingRestart) context.onPendingRestart(id, state.restart.at_ms);
  else if (!context.locks.isHeld(context.paths.supervisorLock)) {
    context.startDetached([...context.programs.onExit, id]);
  }
}
