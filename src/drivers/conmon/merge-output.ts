import { once } from "node:events";
import type { Readable } from "node:stream";
import type { OutputChunk } from "./output-queue.ts";

/** Both pipes of a program as one sequence, in the order of arrival. Nothing is read ahead beyond the pipes' own buffers. */
export function mergeOutput(stdout: Readable, stderr: Readable): AsyncGenerator<OutputChunk> {
  // When a program ends, Node throws away what nobody has shown an interest in: so interest is shown before the first read.
  for (const readable of [stdout, stderr]) readable.on("readable", swallow);
  return merge(stdout, stderr);
}

async function* merge(stdout: Readable, stderr: Readable): AsyncGenerator<OutputChunk> {
  const sources = [
    { stream: "stdout" as const, readable: stdout },
    { stream: "stderr" as const, readable: stderr },
  ];
  while (true) {
    let found = false;
    for (const { stream, readable } of sources) {
      for (let data = readable.read() as Buffer | null; data !== null; data = readable.read() as Buffer | null) {
        found = true;
        yield { stream, data };
      }
    }
    if (found) continue;
    const open = sources.filter(({ readable }) => !readable.readableEnded && !readable.destroyed);
    if (open.length === 0) return;
    await nextChange(open.map(({ readable }) => readable));
  }
}

async function nextChange(streams: Readable[]): Promise<void> {
  const settled = new AbortController();
  const options = { signal: settled.signal };
  try {
    await Promise.race(
      streams.flatMap(stream => ["readable", "end", "close"].map(event => once(stream, event, options).catch(swallow))),
    );
  } finally {
    settled.abort();
  }
}

/** A pipe that broke has ended; waiting was called off: both mean that there is nothing more to wait for. */
function swallow(): void {}
