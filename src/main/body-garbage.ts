import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const check_ms = 50;
const limit_bytes = 24 * 1024 * 1024;

/**
 * Keeps the memory of a program small through which large bodies flow: each read of a socket is a buffer outside of V8's heap, which V8 lets grow by 64 MB
 * before it looks for garbage. A minor collection whenever 24 MB have come together costs some milliseconds for each 100 MB of traffic.
 */
export function collectBodyGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { type: "minor" }) => void;
  let limit = limit_bytes;
  const timer = setInterval(() => {
    if (process.memoryUsage().arrayBuffers < limit) return;
    collect({ type: "minor" });
    // What is in use is no garbage: the next look is worth it only after as much again.
    limit = process.memoryUsage().arrayBuffers + limit_bytes;
  }, check_ms);
  timer.unref();
}
