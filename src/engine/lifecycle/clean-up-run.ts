import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { EngineContext } from "../context.ts";
import { processStart } from "../state/process-alive.ts";
import type { ContainerConfig } from "../state/record.ts";
import { together } from "../together.ts";
import { imageMounts } from "./image-mounts.ts";

const monitorPatience_ms = 5_000;
const poll_ms = 1;

/**
 * Takes away everything that a run needs: process, namespace, addresses, ports, mounts, run directory. Every step may be repeated and may find its work
 * done; the run directory goes last, so that a clean-up killed half-way is found and done again. Call under the container's lock.
 */
export async function cleanUpRun(context: EngineContext, config: ContainerConfig): Promise<void> {
  const { id } = config;
  const { paths, runtime, networks, layers, volumes, mounts } = context;
  const bundle = paths.bundle(id);
  await endProcesses(context, id);
  const attached = config.mounts.filter(mount => mount.type === "volume");
  await together(
    networks.release(id),
    layers.unmount(id),
    together(...attached.map(mount => volumes.detach(mount.name, id))),
    together(...imageMounts(config).map(mount => layers.unmount(mount.rootId))),
  );
  mounts.unmount(paths.shm(id));
  dropExecs(context, id);
  runtime.forget({ id, bundle });
  rmSync(bundle, { recursive: true, force: true });
}

/**
 * Ends whatever the runtime has of it. Where the monitor lives still it may be in the middle of making the container, which then has to go as well, or has its
 * exit to record, which would come back after all is cleaned up: so it is waited for, until it lets go of the lock and has written.
 */
async function endProcesses({ runtime, locks, paths, clock }: EngineContext, id: string): Promise<void> {
  const target = { id, bundle: paths.bundle(id) };
  if (runtime.exitOf(target) !== undefined) return await runtime.delete(id, { force: true });
  const deadline_ms = clock.now_ms() + monitorPatience_ms;
  let existed = false;
  for (;;) {
    existed = existed || (await runtime.state(id)) !== undefined;
    await runtime.delete(id, { force: true });
    if (!locks.isHeld(paths.alive(id)) || clock.now_ms() > deadline_ms) break;
    await clock.sleep(poll_ms);
  }
  const monitor = runtime.monitorPid(target);
  while (existed && runtime.exitOf(target) === undefined && clock.now_ms() < deadline_ms) {
    if (monitor === undefined || processStart(monitor) === undefined) return;
    await clock.sleep(poll_ms);
  }
}

/** The execs of a run end with it. */
function dropExecs({ paths, runtime }: EngineContext, id: string): void {
  let execs: string[];
  try {
    execs = readdirSync(paths.execs(id));
  } catch {
    return;
  }
  for (const execId of execs) {
    runtime.forget({ id, bundle: paths.bundle(id), execId });
    rmSync(join(paths.execIndex, execId), { force: true });
  }
}
