import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { Agent } from "../agent/agent.ts";
import type { HostHookRunner } from "../agent/context.ts";
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
import type { Engine, EngineInfo } from "../ports/engine.ts";

export interface AppsSettings {
  root: string;
  run: string;
}

export interface AppsInput {
  settings: AppsSettings;
  engine: Engine;
  builder?: Builder;
  logger: Logger;
  /** Given where the host lets apps run commands on it. */
  hostHooks?: HostHookRunner;
  /** Keys from elsewhere (a passphrase, a command) instead of the file beside the store. */
  keys?: Buffer[];
}

const longestTaskId = 12;
const secrets_bytes = 64 * 2 ** 20;

export const storePath = (root: string) => join(root, "store", "berth.db");
export const keyPath = (root: string) => join(root, "store", "key");

/**
 * Server and agent of one host in this process, over its engine: what runs apps. `run` goes on until aborted; containers do not mind when it ends.
 */
export function createApps({ settings, engine, builder, logger, hostHooks, keys }: AppsInput) {
  const { root, run } = settings;
  mkdirSync(join(root, "store"), { recursive: true, mode: 0o700 });
  const clock = systemClock;
  const store = new SqliteStore({ path: storePath(root), clock });
  const control = new ControlPlane({
    store,
    keyring: new Keyring(keys ?? readKeyFile(keyPath(root))),
    clock,
    logger,
    newId: () => newId().slice(0, longestTaskId),
    random: Math.random,
    hostHooks: hostHooks !== undefined,
  });
  const apps = new Apps({ control, engineOf: () => engine, builder, user: userInfo().username });
  const filesRoot = join(run, "secrets");

  async function runAll({ signal, onReady }: { signal: AbortSignal; onReady?: () => void }): Promise<void> {
    mkdirSync(filesRoot, { recursive: true, mode: 0o711 });
    new LinuxMounts().tmpfs(filesRoot, { size_bytes: secrets_bytes, mode: 0o711 });
    const facts = factsOf(await engine.system.info({ signal }), bootId(run));
    const agent = new Agent({ engine, link: control.dispatcher, facts, clock, logger, filesRoot, hostHooks });
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    let working: Promise<void> = Promise.resolve();
    const start = () => {
      working = agent.run({ signal: either, onReady }).finally(() => stop.abort());
      // Awaited below; a failure ends the control plane first.
      working.catch(() => undefined);
    };
    try {
      await control.run({ signal: either, onReady: start });
      await working;
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      stop.abort();
    }
  }

  return { store, control, apps, files: new StandaloneFiles(control.files), run: runAll };
}

/** New with each start of the host's system: `run` is in memory, so what is not there any more was lost with it. */
function bootId(run: string): string {
  const path = join(run, "boot");
  if (!existsSync(path)) writeFileSync(path, newId(), { mode: 0o600 });
  return readFileSync(path, "utf8");
}

function factsOf(info: EngineInfo, boot: string): HostFacts {
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
