import { isCode } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { settle } from "./settle.ts";
import { startHeld } from "./start.ts";

/** Makes the restart by policy if it has come due and nobody has made, changed or cancelled it meanwhile. */
export async function restartIfDue(context: EngineContext, id: string, options: CallOptions = {}): Promise<void> {
  await using _lock = await context.store.lock(id, options);
  const state = await settle(context, id);
  if (state?.restart === undefined || state.phase === "running") return;
  if (state.restart.at_ms > context.clock.now_ms()) return;
  try {
    await startHeld(context, { id, config: context.store.config(id), state }, { ...options, byPolicy: true });
  } catch (thrown) {
    if (isCode(thrown, "cancelled")) throw thrown;
    context.logger.log("warn", `restarting container ${id.slice(0, 12)} failed`, { error: String(thrown) });
  }
}
