import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { asBerthError } from "../../base/errors.ts";
import type { ExitRecord, MonitorTarget } from "../../ports/runtime.ts";
import { bundleFiles } from "./monitor-arguments.ts";

/** Directory of an exec's own files. */
export function execDirectory(bundle: string, execId: string): string {
  return join(bundle, "exec", execId);
}

/** conmon writes `<exits>/<id>` (by rename, so whole or not at all) with the exit code in decimal, and an empty `oom` where the kernel killed for memory. */
export function readExitRecord(exitsDirectory: string, target: MonitorTarget): ExitRecord | undefined {
  const path = recordPath(exitsDirectory, target);
  try {
    const text = readFileSync(path, "utf8");
    if (!/^\d+$/.test(text.trim())) return undefined;
    return {
      exitCode: Number(text),
      oomKilled: target.execId === undefined && wasOutOfMemory(target.bundle),
      finished_ms: statSync(path).mtimeMs,
    };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw asBerthError(thrown);
  }
}

export function dropExitRecord(exitsDirectory: string, target: MonitorTarget): void {
  rmSync(recordPath(exitsDirectory, target), { force: true });
  if (target.execId === undefined) {
    rmSync(join(target.bundle, bundleFiles.persist), { recursive: true, force: true });
    rmSync(join(target.bundle, "oom"), { force: true });
  } else {
    rmSync(execDirectory(target.bundle, target.execId), { recursive: true, force: true });
  }
}

function recordPath(exitsDirectory: string, target: MonitorTarget): string {
  return join(exitsDirectory, target.execId ?? target.id);
}

function wasOutOfMemory(bundle: string): boolean {
  return [join(bundle, bundleFiles.persist, "oom"), join(bundle, "oom")].some(
    path => statSync(path, { throwIfNoEntry: false }) !== undefined,
  );
}

export function readMonitorPid(bundle: string): number | undefined {
  try {
    return Number(readFileSync(join(bundle, bundleFiles.monitorPid), "utf8")) || undefined;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw asBerthError(thrown);
  }
}
