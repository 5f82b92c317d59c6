import { statSync } from "node:fs";
import type { EngineContext } from "../context.ts";
import { logLimits } from "../logs/log-options.ts";
import { rotateLog } from "../logs/rotate-log.ts";
import type { ContainerConfig } from "../state/record.ts";
import { look } from "./look.ts";

/** Rotates the log of a running container if it has grown past its limit and nobody else is at work on the container. */
export async function rotateContainerLog(context: EngineContext, config: ContainerConfig): Promise<void> {
  const limits = logLimits(config.spec.log);
  const logPath = context.paths.log(config.id);
  if (limits === undefined || size_bytes(logPath) < limits.maxSize_bytes) return;
  const lock = context.store.tryLock(config.id);
  if (lock === undefined) return;
  await using _lock = lock;
  if (look(context, config.id).observed.kind !== "running") return;
  const target = { id: config.id, bundle: context.paths.bundle(config.id), logPath };
  await rotateLog(logPath, limits, () => context.runtime.reopenLog(target));
}

/** After the end there is nobody to tell. Call under the container's lock. */
export async function rotateStoppedLog(context: EngineContext, config: ContainerConfig): Promise<void> {
  const limits = logLimits(config.spec.log);
  if (limits) await rotateLog(context.paths.log(config.id), limits, async () => undefined);
}

function size_bytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
