import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import type { LogLimits } from "./log-options.ts";

/**
 * Lossless rotation: name.1 … move up, the present file becomes name.1, and the monitor (told by `reopen`) goes on in a new one. Until it does, it writes
 * to name.1, so nothing is lost. Call under the container's lock. True if it rotated.
 */
export async function rotateLog(path: string, limits: LogLimits, reopen: () => Promise<void>): Promise<boolean> {
  const size_bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size_bytes < limits.maxSize_bytes) return false;
  rmSync(`${path}.${Math.max(1, limits.maxFiles - 1)}`, { force: true });
  for (let age = limits.maxFiles - 2; age >= 1; age--) {
    if (existsSync(`${path}.${age}`)) renameSync(`${path}.${age}`, `${path}.${age + 1}`);
  }
  renameSync(path, `${path}.1`);
  await reopen();
  if (limits.maxFiles === 1) rmSync(`${path}.1`, { force: true });
  return true;
}
