import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { containerEvent } from "../lifecycle/attributes.ts";
import { withContainer } from "../lifecycle/settle.ts";
import { requireRunning } from "./signal-container.ts";

/** Freezes every process. Throws `conflict` when it does not run or is paused. */
export async function pauseContainer(context: EngineContext, reference: string, options: CallOptions): Promise<void> {
  await withContainer(context, reference, options, async held => {
    requireRunning(context, held, "pause");
    if (held.state.paused) throw new BerthError("conflict", `container ${held.config.name} is already paused`);
    // Written first: a container found frozen that is said to run would look hung.
    context.store.writeState(held.id, { ...held.state, paused: true });
    try {
      await context.runtime.pause(held.id, options);
    } catch (thrown) {
      context.store.writeState(held.id, held.state);
      throw thrown;
    }
    containerEvent(context, held.config, "pause");
  });
}

export async function unpauseContainer(context: EngineContext, reference: string, options: CallOptions): Promise<void> {
  await withContainer(context, reference, options, async held => {
    requireRunning(context, held, "unpause");
    if (!held.state.paused) throw new BerthError("conflict", `container ${held.config.name} is not paused`);
    await context.runtime.resume(held.id, options);
    context.store.writeState(held.id, { ...held.state, paused: false });
    containerEvent(context, held.config, "unpause");
  });
}
