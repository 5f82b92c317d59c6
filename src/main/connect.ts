import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { hostMethods } from "../api/methods.ts";
import { systemClock } from "../base/clock.ts";
import { BerthError } from "../base/errors.ts";
import type { Backends, CliEngine } from "../cli/context.ts";
import { createClient } from "../client/client.ts";
import { HttpTransport } from "../client/transport.ts";
import { type HostSettings, settingsAsFlags, socketPath } from "./settings.ts";

const startLimit_ms = 20_000;

/** Everything that berthd serves. */
export interface HostClient extends CliEngine, Backends {}

/** The host's berthd as an engine; starts it if it is not running. */
export async function connectToHost(settings: HostSettings): Promise<HostClient> {
  if (!(await answers(settings))) await startHost(settings);
  const transport = new HttpTransport(socketPath(settings));
  return {
    ...createClient<Omit<HostClient, typeof Symbol.asyncDispose>>(hostMethods, transport),
    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]();
    },
  };
}

async function answers(settings: HostSettings): Promise<boolean> {
  const socket = createConnection(socketPath(settings));
  try {
    await once(socket, "connect");
    return true;
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ECONNREFUSED") return false;
    if (code === "EACCES") {
      throw new BerthError("forbidden", `berthd's socket ${socketPath(settings)} is not open to this user`, {
        cause: thrown,
        hint: "use sudo, or run your own engine: berth-engine --root DIR --run DIR",
      });
    }
    throw thrown;
  } finally {
    socket.destroy();
  }
}

/** Several callers may do this at once: berthd's own lock lets one of them live. */
async function startHost(settings: HostSettings): Promise<void> {
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
