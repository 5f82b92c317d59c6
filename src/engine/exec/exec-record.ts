import { mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { ExecSpec } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { readJson, writeJson } from "../state/json-file.ts";

/** An exec as it is on disk, below its container's run: it is gone with it. */
export interface ExecRecord {
  id: string;
  containerId: string;
  spec: ExecSpec;
  /** "created" until somebody starts it; "ended" as soon as whoever started it has seen its end. */
  phase: "created" | "running" | "ended";
  pid: number;
  pidStart: string;
  exitCode?: number;
  detached: boolean;
}

export function addExec(context: EngineContext, record: ExecRecord): void {
  const { paths } = context;
  const directory = join(paths.execs(record.containerId), record.id);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeJson(join(directory, "record.json"), record);
  symlinkSync(directory, join(paths.execIndex, record.id));
}

/** Throws `not_found`. */
export function readExec({ paths }: EngineContext, execId: string): ExecRecord {
  const record = /^[0-9a-f]{64}$/.test(execId)
    ? readJson<ExecRecord>(join(paths.execIndex, execId, "record.json"))
    : undefined;
  if (record) return record;
  throw new BerthError("not_found", `No such exec instance: ${execId}`, {
    hint: "an exec is gone when its container has stopped",
  });
}

/** Does nothing where the container has stopped and taken the exec with it. */
export function writeExec({ paths }: EngineContext, record: ExecRecord): void {
  try {
    writeJson(join(paths.execs(record.containerId), record.id, "record.json"), record);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
  }
}

/** Container that a link of the index points into. */
export function ownerOfExec({ paths }: EngineContext, execId: string): string {
  return basename(dirname(dirname(readlinkSync(join(paths.execIndex, execId)))));
}
