import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { Agent } from "../agent/agent.ts";
import { systemClock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { Apps } from "../control/apps/apps.ts";
import { ControlPlane } from "../control/control-plane.ts";
import { readKeyFile } from "../control/files/key-file.ts";
import { Keyring } from "../control/files/keyring.ts";
import { SqliteStore } from "../drivers/sqlite/store.ts";
import type { HostFacts } from "../model/host.ts";
import type { Builder } from "../ports/build.ts";
import type { Engine } from "../ports/engine.ts";
import type { HostSettings } from "./settings.ts";

export const storePath = (settings: HostSettings) => join(settings.root, "store", "berth.db");

/** The server part of berthd and this host's agent, in one process: what decides, and what carries it out here. */
export function createControlPlane(settings: HostSettings, engine: Engine, builder: Builder, logger: Logger) {
  const clock = systemClock;
  const store = new SqliteStore({ path: storePath(settings), clock });
  const keyring = new Keyring(readKeyFile(join(settings.root, "store", "key")));
  const control = new ControlPlane({ store, keyring, clock, logger, newId, random: Math.random });
  const apps = new Apps({ control, engineOf: () => engine, builder, user: userInfo().username });

  /** Until aborted. `onReady` when requests can be served. */
  async function run({ signal, onReady }: { signal: AbortSignal; onReady: () => void }): Promise<void> {
    const facts = await hostFacts(engine);
    const agent = new Agent({
      engine,
      link: control.dispatcher,
      facts,
      clock,
      logger,
      filesRoot: join(settings.run, "files"),
    });
    const ready = Promise.withResolvers<void>();
    const running = control.run({ signal, onReady: ready.resolve });
    running.catch(ready.reject);
    await ready.promise;
    onReady();
    await Promise.all([running, agent.run({ signal })]);
  }

  return { apps, files: control.files, store, run };
}

async function hostFacts(engine: Engine): Promise<HostFacts> {
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
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  };
}
