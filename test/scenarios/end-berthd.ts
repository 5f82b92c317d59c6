import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { run } from "./images-fixture.ts";

/** Ends the berthd that runs in this directory, and takes off what it has mounted there: the directory can be removed then. */
export async function endBerthd(runDirectory: string): Promise<void> {
  const pid = Number(readFileSync(join(runDirectory, "berthd.pid"), "utf8"));
  process.kill(pid, "SIGTERM");
  await vi.waitFor(
    () => {
      if (existsSync(`/proc/${pid}`)) throw new Error(`berthd ${pid} has not ended`);
    },
    { timeout: 30_000, interval: 20 },
  );
  const mounted = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map(line => line.split(" ")[4] ?? "")
    .filter(target => target.startsWith(`${runDirectory}/`));
  for (const target of mounted.reverse()) await run("umount", [target]);
}
