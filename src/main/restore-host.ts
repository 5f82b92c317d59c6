import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { BerthError } from "../base/errors.ts";
import { restoreStore } from "../drivers/sqlite/restore.ts";
import { type HostSettings, storePath } from "./settings.ts";

const stopLimit_ms = 20_000;

/** Stops this host's berthd and puts a backup in the place of its store. Containers go on; the next berthd takes the apps up from there. */
export async function restoreHost(settings: HostSettings, backup: string): Promise<{ kept: string | undefined }> {
  await stopHost(settings);
  return restoreStore(backup, storePath(settings));
}

async function stopHost({ run }: HostSettings): Promise<void> {
  const pidPath = join(run, "berthd.pid");
  if (!existsSync(pidPath)) return;
  const pid = Number(readFileSync(pidPath, "utf8"));
  if (!isBerthd(pid)) return;
  process.kill(pid, "SIGTERM");
  const end_ms = systemClock.now_ms() + stopLimit_ms;
  while (isBerthd(pid)) {
    if (systemClock.now_ms() > end_ms) {
      throw new BerthError(
        "timeout",
        `stopping berthd (process ${pid}): it did not end within ${stopLimit_ms / 1000} s`,
      );
    }
    await systemClock.sleep(20);
  }
}

/** The file may be a dead one's, and its number another program's by now. */
function isBerthd(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("berthd");
  } catch {
    return false;
  }
}
