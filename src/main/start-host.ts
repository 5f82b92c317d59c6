import { spawn } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { BerthError } from "../base/errors.ts";
import { type HostSettings, settingsAsFlags } from "./settings.ts";

const startLimit_ms = 20_000;

/** Several callers may do this at once: berthd's own lock lets one of them live. */
export async function startHost(
  settings: HostSettings,
  answers: (settings: HostSettings) => Promise<boolean>,
): Promise<void> {
  mkdirSync(settings.run, { recursive: true, mode: 0o711 });
  const logPath = join(settings.run, "berthd.log");
  const log = openSync(logPath, "a", 0o600);
  const child = spawn(process.execPath, [join(import.meta.dirname, "berthd.cjs"), ...settingsAsFlags(settings)], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
  });
  child.unref();
  const end_ms = systemClock.now_ms() + startLimit_ms;
  for (let delay_ms = 2; systemClock.now_ms() < end_ms; delay_ms = Math.min(50, delay_ms * 1.5)) {
    await systemClock.sleep(delay_ms);
    if (await answers(settings)) return;
    // Another berthd may hold the lock and be about to listen; only a failure of the one that holds it counts.
    if (child.exitCode !== null && child.exitCode !== 0) break;
  }
  throw new BerthError(
    "unavailable",
    `berthd did not start${child.exitCode === null ? ` within ${startLimit_ms / 1000} s` : ` (exit code ${child.exitCode})`}`,
    {
      hint: `its log says why: ${logPath}`,
    },
  );
}
