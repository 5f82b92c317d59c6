import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { withContainer } from "../lifecycle/settle.ts";
import { startHeld } from "../lifecycle/start.ts";
import { type StopOptions, stopContainer } from "./signal-container.ts";

/** Throws `unchanged` when it runs already, `conflict` when it is paused. */
export async function startContainer(context: EngineContext, reference: string, options: CallOptions): Promise<void> {
  await withContainer(context, reference, options, async held => {
    if (!isRunning(look(context, held.id))) return await startHeld(context, held, options);
    const { name } = held.config;
    if (held.state.paused) {
      throw new BerthError("conflict", `cannot start container ${name}: it is paused`, {
        hint: `let it go on: berth unpause ${name}`,
      });
    }
    throw new BerthError("unchanged", `container ${name} runs already`);
  });
}

/** Stops it if it runs, and starts it. */
export async function restartContainer(context: EngineContext, reference: string, options: StopOptions): Promise<void> {
  const id = context.store.find(reference);
  await stopContainer(context, id, options);
  await withContainer(context, id, options, async held => {
    // Somebody else was quicker to start it again.
    if (!isRunning(look(context, id))) await startHeld(context, held, options);
  });
  context.events.append("container", "restart", id, { name: context.store.config(id).name });
}
