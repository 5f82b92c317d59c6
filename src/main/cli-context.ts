import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { processEnvironment } from "../base/env.ts";
import { BerthError } from "../base/errors.ts";
import type { CliContext } from "../cli/context.ts";
import { localFileSource } from "../drivers/files/local-file-source.ts";
import { version } from "./version.ts";

/** A command's surroundings made from this process. The first Ctrl-C aborts, the second ends the program at once. */
export function createCliContext(
  program: string,
  parts: Pick<CliContext, "engine"> & Partial<Pick<CliContext, "backend" | "restoreStore">>,
): CliContext {
  const interrupted = new AbortController();
  const listeners = new Map<NodeJS.Signals, Set<() => void>>();
  const dispatch = (name: NodeJS.Signals) => {
    const callbacks = listeners.get(name);
    if (callbacks !== undefined && callbacks.size > 0) {
      for (const callback of callbacks) callback();
    } else if (name === "SIGINT" || name === "SIGTERM" || name === "SIGHUP") {
      if (interrupted.signal.aborted) process.exit(130);
      interrupted.abort(new BerthError("cancelled", "interrupted"));
    }
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, dispatch);
  // A reader that has gone (`berth logs | head`) ends the program quietly.
  process.stdout.on("error", error =>
    (error as NodeJS.ErrnoException).code === "EPIPE" ? process.exit(0) : undefined,
  );
  return {
    program,
    version,
    // Opened when it is asked for: most commands never do.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    environment: processEnvironment(),
    cwd: process.cwd(),
    // Beside dist/, or above src/main/, whichever this runs from.
    libraryDirectory: [join(import.meta.dirname, "../images"), join(import.meta.dirname, "../../images")].find(path =>
      existsSync(join(path, "library.json")),
    ),
    files: localFileSource(),
    app: { file: [], profile: [], envFile: [], set: [] },
    clock: systemClock,
    signal: interrupted.signal,
    onSignal(name, callback) {
      const callbacks = listeners.get(name) ?? new Set();
      if (callbacks.size === 0 && !listeners.has(name) && !["SIGINT", "SIGTERM", "SIGHUP"].includes(name))
        process.on(name, dispatch);
      listeners.set(name, callbacks.add(callback));
      return () => callbacks.delete(callback);
    },
    backend: name =>
      Promise.reject(new BerthError("unsupported", `${program} has no ${name}; berth, which talks to berthd, has`)),
    ...parts,
  };
}
