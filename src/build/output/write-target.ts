import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { OutputTarget } from "../../ports/build.ts";

/** Streams into a file (seen only when whole) or into the caller's stream. */
export async function writeTarget(source: Readable, target: OutputTarget, signal: AbortSignal): Promise<void> {
  if ("stream" in target) {
    await pipeline(source, target.stream, { signal });
    return;
  }
  const partial = `${target.path}.partial`;
  try {
    await pipeline(source, createWriteStream(partial), { signal });
    await rename(partial, target.path);
  } catch (thrown) {
    await rm(partial, { force: true });
    throw thrown;
  }
}
