import { BerthError } from "../../base/errors.ts";
import type { LogOptions, LogRecord } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { logLimits } from "../logs/log-options.ts";
import { type LogSource, readLog } from "../logs/read-log.ts";

export async function* containerLogs(
  context: EngineContext,
  reference: string,
  options: LogOptions,
): AsyncGenerator<LogRecord> {
  const id = context.store.find(reference);
  const { spec, name } = context.store.config(id);
  if (logLimits(spec.log) === undefined) {
    throw new BerthError("unsupported", `container ${name} keeps no log: its log driver is none`, {
      hint: "make it again with the log driver json-file, or attach to it",
    });
  }
  yield* readLog(logSource(context, id), options);
}

export function logSource(context: EngineContext, id: string): LogSource {
  return {
    clock: context.clock,
    path: context.paths.log(id),
    watchState: watch => {
      watch.add(context.paths.container(id), name => name === "state.json");
      watch.add(context.runtime.exitsDirectory, name => name === id);
    },
    ended: () => {
      if (!context.store.exists(id)) return true;
      const seen = look(context, id);
      // While somebody is starting it again its output goes on.
      return !isRunning(seen) && seen.observed.kind !== "starting";
    },
  };
}
