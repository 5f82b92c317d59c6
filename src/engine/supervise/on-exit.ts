import { isCode } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { restartIfDue } from "../lifecycle/restart-if-due.ts";
import { settle } from "../lifecycle/settle.ts";

/**
 * What the monitor's exit command does where no berthd runs: finishes the exit, and makes the restarts that the policy wants for as long as starting fails.
 * Once the container runs again its own end will lead here again.
 */
export async function onExit(context: EngineContext, id: string, options: CallOptions = {}): Promise<void> {
  // Restarts are made right here: nobody is to be called for them.
  const own: EngineContext = { ...context, onPendingRestart: () => undefined };
  try {
    {
      await using _lock = await own.store.lock(id, options);
      await settle(own, id);
    }
    for (;;) {
      const { restart } = own.store.state(id);
      if (restart === undefined || own.locks.isHeld(own.paths.supervisorLock)) return;
      await own.clock.sleep(Math.max(0, restart.at_ms - own.clock.now_ms()), options);
      await restartIfDue(own, id, options);
    }
  } catch (thrown) {
    if (!isCode(thrown, "not_found")) throw thrown;
  }
}
