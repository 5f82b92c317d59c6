import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { Agent } from "../agent/agent.ts";
import type { HostHookRunner } from "../agent/context.ts";
import { HostOneOffs } from "../agent/one-off.ts";
import { systemClock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { Apps } from "../control/apps/apps.ts";
import { StandaloneFiles } from "../control/apps/standalone-files.ts";
import { ControlPlane } from "../control/control-plane.ts";
import { readKeyFile } from "../control/files/key-file.ts";
import { Keyring } from "../control/files/keyring.ts";
import { LinuxMounts } from "../drivers/mounts/linux-mounts.ts";
import { SqliteStore } from "../drivers/sqlite/store.ts";
import type { HostFacts } from "../model/host.ts";
import type { Builder } from "../ports/build.ts";
import type { Engine } from "../ports/engine.ts";
import { type HostSettings, storeDirectory, storePath } from "./settings.ts";

/** Where the contents of secrets and configs are for containers: in memory. */
export const filesPath = (settings: HostSettings) => join(settings.run, "files");

const taskIdDigits = 12;
const files_bytes = 64 * 2 ** 20;

/** The server part of berthd and this host's agent, in one process: what decides, and what carries it out here. */
export function createControlPlane(
  settings: HostSettings,
  engine: Engine,
  builder: Builder | undefined,
  logger: Logger,
  { keys, hostHooks }: { keys?: Buffer[]; hostHooks?: HostHookRunner } = {},
) {
  const clock = systemClock;
  mkdirSync(storeDirectory(settings), { recursive: true, mode: 0o700 });
  const store = new SqliteStore({ path: storePath(settings), clock });
  const keyring = new Keyring(keys ?? readKeyFile(join(storeDirectory(settings), "key")));
  const newTaskId = () => newId().slice(0, taskIdDigits);
  const control = new ControlPlane({
    store,
    keyring,
    clock,
    logger,
    newId: newTaskId,
    random: Math.random,
    hostHooks: hostHooks !== undefined,
  });
  const oneOffs = new HostOneOffs({ engine, filesRoot: filesPath(settings), newId: newTaskId });
  const apps = new Apps({ control, engineOf: () => engine, builder, oneOffs, user: userInfo().username });

  /** Until aborted. `onReady` when requests can be served. */
  async function run({ signal, onReady }: { signal: AbortSignal; onReady: () => void }): Promise<void> {
    new LinuxMounts().tmpfs(filesPath(settings), { size_bytes: files_bytes, mode: 0o711 });
    const facts = await hostFacts(engine, bootId(settings));
    const agent = new Agent({
      engine,
      link: control.dispatcher,
      facts,
      clock,
      logger,
      filesRoot: filesPath(settings),
      hostHooks,
    });
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const ready = Promise.withResolvers<void>();
    const running = control.run({ signal: either, onReady: ready.resolve });
    const working = ready.promise.then(() =>
      Promise.all([agent.run({ signal: either, onReady }), oneOffs.tidy({ signal: either })]),
    );
    running.catch(ready.reject);
    try {
      await Promise.all([running, working]);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      stop.abort();
      ready.resolve();
      await Promise.allSettled([running, working]);
    }
  }

  return { apps, control, files: new StandaloneFiles(control.files), store, run };
}

/** New with each start of the host's system: `run` is in memory, so when this file is gone, everything that ran is too. */
function bootId({ run }: HostSettings): string {
  const path = join(run, "boot");
  if (!existsSync(path)) writeFileSync(path, newId(), { mode: 0o600 });
  return readFileSync(path, "utf8");
}

async function hostFacts(engine: Engine, boot: string): Promise<HostFacts> {
  const info = await engine.system.info();
  return {
    name: info.hostname,
    os: info.osType,
    operatingSystem: info.operatingSystem,
    kernel: info.kernel,
    architecture: info.architecture,
    cpus: info.cpus,
    memory_bytes: info.memory_bytes,
    engine: "berth",
    engineVersion: info.version,
    runtime: info.runtime.name,
    storageDriver: info.storageDriver,
    labels: {},
    resources: {},
    bootId: boot,
  };
}
