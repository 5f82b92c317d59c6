import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { isCode } from "../base/errors.ts";
import { restoreStore } from "../drivers/sqlite/restore.ts";
import { type HostSettings, storePath } from "./settings.ts";

const stopLimit_ms = 20_000;

/** Stops this host's berthd and puts a backup in the place of its store. Containers go on; the next berthd takes the apps up from there. */
export async function restoreHost(settings: HostSettings, backup: string): Promise<{ kept: string | undefined }> {
  const path = storePath(settings);
  if (!stopHost(settings)) return restoreStore(backup, path);
  for (const end_ms = systemClock.now_ms() + stopLimit_ms; ; ) {
    try {
      return restoreStore(backup, path);
    } catch (thrown) {
      // It still has the store open: a program that ends lets go of its files last.
      if (!isCode(thrown, "in_use") || systemClock.now_ms() > end_ms) throw thrown;
      await systemClock.sleep(20);
    }
  }
}

/** Whether there was one. */
function stopHost({ run }: HostSettings): boolean {
  const pidPath = join(run, "berthd.pid");
  if (!existsSync(pidPath)) return false;
  const pid = Number(readFileSync(pidPath, "utf8"));
  if (!isBerthd(pid)) return false;
  process.kill(pid, "SIGTERM");
  return true;
}

/** The file may be a dead one's, and its number another program's by now. */
function isBerthd(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("berthd");
  } catch {
    return false;
  }
}
