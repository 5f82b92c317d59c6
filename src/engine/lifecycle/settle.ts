import type { CallOptions } from "../../ports/content.ts";
import type { ExitRecord } from "../../ports/runtime.ts";
import type { EngineContext } from "../context.ts";
import { noSuchContainer } from "../state/container-store.ts";
import { processStart } from "../state/process-alive.ts";
import type { ContainerConfig, StoredState } from "../state/record.ts";
import { arrangeRestart } from "./arrange-restart.ts";
import { containerEvent } from "./attributes.ts";
import { cleanUpRun } from "./clean-up-run.ts";
import { finishRun } from "./finish-run.ts";
import { look, lostExitCode } from "./look.ts";
import { removeLocked } from "./remove-locked.ts";
import { rotateStoppedLog } from "./rotate-container-log.ts";

/** A container whose lock this process holds, and whose state is true. */
export interface Held {
  id: string;
  config: ContainerConfig;
  state: StoredState;
}

/**
 * Finds the container, locks it, brings what is written down in line with what is to be seen (an exit that nobody finished, a start that was killed), and
 * then works on it. Throws `not_found`.
 */
export async function withContainer<T>(
  context: EngineContext,
  reference: string,
  options: CallOptions,
  work: (held: Held) => Promise<T>,
): Promise<T> {
  const id = context.store.find(reference);
  await using _lock = await context.store.lock(id, options);
  const state = await settle(context, id);
  if (state === undefined) throw noSuchContainer(reference);
  return await work({ id, config: context.store.config(id), state });
}

/** Undefined when the container has removed itself at its end. Call under its lock; repeating it is harmless. */
export async function settle(context: EngineContext, id: string): Promise<StoredState | undefined> {
  const { stored, observed } = look(context, id);
  if (observed.kind === "settled" || observed.kind === "running" || observed.kind === "unmonitored") return stored;
  const config = context.store.config(id);
  switch (observed.kind) {
    case "starting":
      return await takeOverStart(context, config, stored);
    case "ended":
      return await endRun(context, config, stored, observed.exit);
    case "lost":
      return await endRun(
        context,
        config,
        stored,
        { exitCode: lostExitCode, oomKilled: false, finished_ms: context.clock.now_ms() },
        observed.reason,
      );
    case "leftover":
      await cleanUpRun(context, config);
      return stored;
  }
}

/** The starter was killed (whoever starts holds the lock that we have now). What already runs is kept, what does not is undone. */
async function takeOverStart(
  context: EngineContext,
  config: ContainerConfig,
  stored: StoredState,
): Promise<StoredState> {
  const found = await context.runtime.state(config.id);
  if (found?.status !== "running" && found?.status !== "paused") {
    await cleanUpRun(context, config);
    return stored;
  }
  const monitorPid = context.runtime.monitorPid({ id: config.id, bundle: context.paths.bundle(config.id) }) ?? 0;
  const state: StoredState = {
    ...stored,
    phase: "running",
    paused: found.status === "paused",
    bootId: context.bootId,
    pid: found.pid,
    pidStart: processStart(found.pid) ?? "",
    monitorPid,
    monitorStart: processStart(monitorPid) ?? "",
    error: "",
    startedAt: new Date(context.clock.now_ms()).toISOString(),
    restart: undefined,
  };
  context.store.writeState(config.id, state);
  containerEvent(context, config, "start");
  return state;
}

async function endRun(
  context: EngineContext,
  config: ContainerConfig,
  stored: StoredState,
  exit: ExitRecord,
  reason = "",
): Promise<StoredState | undefined> {
  const state = finishRun(context, config, stored, exit, reason);
  await cleanUpRun(context, config);
  await rotateStoppedLog(context, config);
  if (config.spec.autoRemove && state.restart === undefined) {
    await removeLocked(context, config, { volumes: true });
    return undefined;
  }
  arrangeRestart(context, config.id, state);
  return state;
}
