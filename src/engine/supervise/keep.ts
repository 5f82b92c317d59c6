import { join } from "node:path";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { rotateContainerLog } from "../lifecycle/rotate-container-log.ts";
import { watchHealth } from "./watch-health.ts";

const look_ms = 1_000;

/**
 * Where no berthd runs: health checks and log rotation of one container, by a process of its own, until the container ends or a berthd takes over. A second
 * keeper of the same container leaves at once.
 */
export async function keepContainer(context: EngineContext, id: string, { signal }: CallOptions = {}): Promise<void> {
  const lock = context.locks.tryAcquire(join(context.paths.bundle(id), "health.lock"));
  if (lock === undefined) return;
  await using _lock = lock;
  const stop = new AbortController();
  signal?.addEventListener("abort", () => stop.abort(), { once: true });
  const config = context.store.config(id);
  const health = watchHealth(context, config, stop.signal).catch(thrown => {
    if (!stop.signal.aborted) throw thrown;
  });
  const ended = health.then(() => stop.abort());
  while (!stop.signal.aborted) {
    if (context.locks.isHeld(context.paths.supervisorLock) || !isRunning(look(context, id))) stop.abort();
    else {
      await rotateContainerLog(context, config);
      await context.clock.sleep(look_ms, { signal: stop.signal }).catch(() => undefined);
    }
  }
  await ended;
}
