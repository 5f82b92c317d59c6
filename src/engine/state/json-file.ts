import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";

let sequence = 0;

/**
 * Replaces the file in one step: a reader, or whoever comes after a kill -9, sees the old or the new content, whole. `durable` also survives power loss.
 * Synchronous on purpose: these files have some kilobytes, and a write takes a tenth of what the thread pool costs.
 */
export function writeJson(path: string, value: unknown, options: { durable?: boolean } = {}): void {
  const temporary = `${path}.${process.pid}.${sequence++}.tmp`;
  const fd = openSync(temporary, "w", 0o600);
  try {
    writeSync(fd, JSON.stringify(value));
    if (options.durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}

/** Undefined when the file is not there, or holds no JSON (cut off by a power loss). */
export function readJson<T>(path: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw thrown;
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
