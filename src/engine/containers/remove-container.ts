import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { removeLocked } from "../lifecycle/remove-locked.ts";
import { settle } from "../lifecycle/settle.ts";
import { noSuchContainer } from "../state/container-store.ts";
import { forceEnd } from "./signal-container.ts";

export interface RemoveOptions extends CallOptions {
  force?: boolean;
  /** Its anonymous volumes too. */
  volumes?: boolean;
}

/** Throws `conflict` for a running container without `force`. */
export async function removeContainer(
  context: EngineContext,
  reference: string,
  options: RemoveOptions = {},
): Promise<void> {
  const { store } = context;
  const id = store.find(reference);
  // A policy may start it again between the kill and the removal: then once more.
  for (;;) {
    if (options.force) await endForRemoval(context, id, options);
    if (!store.exists(id)) return;
    await using _lock = await store.lock(id, options);
    const state = await settle(context, id);
    if (state === undefined) return;
    if (isRunning(look(context, id))) {
      if (options.force) continue;
      const config = store.config(id);
      throw new BerthError(
        "conflict",
        `cannot remove container ${config.name}: it is ${state.paused ? "paused" : "running"}`,
        {
          hint: `stop it first (berth stop ${config.name}), or remove it with --force`,
        },
      );
    }
    const config = store.tryConfig(id);
    if (config === undefined) throw noSuchContainer(reference);
    await removeLocked(context, config, { volumes: options.volumes });
    return;
  }
}

async function endForRemoval(context: EngineContext, id: string, options: CallOptions): Promise<void> {
  if (isRunning(look(context, id))) await forceEnd(context, id, options);
}
