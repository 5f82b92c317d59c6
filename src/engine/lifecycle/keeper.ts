import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { EngineContext } from "../context.ts";
import { effectiveHealthCheck } from "../health-transition.ts";
import { writeJson } from "../state/json-file.ts";
import type { ContainerConfig } from "../state/record.ts";

/**
 * A container with a health check needs somebody to run it. berthd does where it is; else a process for this container alone, which ends with it or as soon as
 * berthd takes over.
 */
export function startKeeperIfNeeded(context: EngineContext, config: ContainerConfig): void {
  if (effectiveHealthCheck(config.process.healthCheck) === undefined) return;
  writeJson(context.paths.health(config.id), { status: "starting", failingStreak: 0, log: [] });
  if (context.locks.isHeld(context.paths.supervisorLock)) return;
  context.startDetached([...context.programs.keep, config.id]);
}

/**
 * The monitor runs this when its container has ended. Where somebody looks after the container (berthd, or a foreground run) there is nothing to do, at the
 * cost of a shell; else the engine is started to finish the exit.
 */
export function writeExitScript({ paths, programs }: EngineContext): void {
  const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
  const script = `#!/bin/sh
# Run by the monitor of container $1 after it has ended. Written by Berth.
for lock in ${quote(paths.supervisorLock)} ${quote(paths.bundles)}/"$1"/keeper; do
  if [ -e "$lock" ] && ! flock -ns "$lock" true; then exit 0; fi
done
exec ${programs.onExit.map(quote).join(" ")} "$1"
`;
  if (existsSync(paths.exitScript) && readFileSync(paths.exitScript, "utf8") === script) return;
  // By rename: a monitor may be about to run the old one.
  const temporary = `${paths.exitScript}.${process.pid}`;
  writeFileSync(temporary, script, { mode: 0o755 });
  renameSync(temporary, paths.exitScript);
}
