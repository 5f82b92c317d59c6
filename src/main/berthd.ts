import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serveBuilder } from "../api/builder/remote-builder.ts";
import { hostMethods } from "../api/methods.ts";
import { createApiServer } from "../api/server.ts";
import { systemClock } from "../base/clock.ts";
import { asBerthError, BerthError } from "../base/errors.ts";
import { type Logger, lineLogger } from "../base/log.ts";
import { storeKeys } from "../control/files/key-command.ts";
import { FileLocks } from "../drivers/linux/file-locks.ts";
import { HostHookRunner } from "../drivers/programs/host-hook-runner.ts";
import { runProgram } from "../drivers/programs/run-program.ts";
import { createControlPlane } from "./create-control-plane.ts";
import { createEngine } from "./create-engine.ts";
import { type DaemonSettings, daemonSettings, takeDaemonFlags } from "./daemon-settings.ts";
import { startDockerFace } from "./docker-face.ts";
import { serveHostRegistry } from "./host-registry.ts";
import { type HostSettings, readSettings, socketPath, storeDirectory } from "./settings.ts";
import { version } from "./version.ts";

/**
 * `berthd`: serves this host's engine on a private socket and watches over its containers. It may be stopped, killed or replaced at any time: containers
 * are held by their own monitors, and the next one finds everything again.
 */
async function main(): Promise<void> {
  const { flags, rest: others } = takeDaemonFlags(process.argv.slice(2));
  const { settings, rest } = readSettings(others, process.env);
  if (rest.length > 0)
    throw new BerthError("invalid", `berthd does not know "${rest[0]}"`, {
      hint: "usage: berthd [--root DIR] [--run DIR] [--instance NAME] [--registry HOST:PORT] [--debug] [--allow-host-hooks] [--store-key-command COMMAND]",
    });
  const logger = lineLogger(settings.debug ? "debug" : "info", systemClock.now_ms, line => process.stderr.write(line));
  for (const directory of [settings.root, settings.run]) mkdirSync(directory, { recursive: true, mode: 0o711 });
  const lock = new FileLocks(systemClock).tryAcquire(join(settings.run, "berthd.lock"));
  // Somebody else was quicker; whoever started this one finds that one answering.
  if (lock === undefined) return logger.log("info", "another berthd runs here", { run: settings.run });
  keepLogSmall(settings);

  const parts = createEngine(settings, process.env, logger);
  const stop = new AbortController();
  const supervised = parts.engine.supervise({ signal: stop.signal, boot: isFirstSinceBoot(settings) });
  const plane = await openControlPlane(settings, flags, parts, logger);
  const backends = {
    ...parts.engine,
    builder: serveBuilder(parts.builder),
    apps: plane.apps,
    files: plane.files,
    host: { backup: plane.backup },
  };
  const server = createApiServer(hostMethods, backends, logger);
  await serveHostRegistry(settings, parts, logger, stop.signal);
  const planned = plane.run(stop.signal);
  await listen(server, settings);
  const docker = await startDockerFace(settings, process.env, parts, logger);
  writeFileSync(join(settings.run, "berthd.pid"), String(process.pid));
  logger.log("info", "berthd is ready", { version, socket: socketPath(settings), root: settings.root });

  const end = (name: string) => {
    logger.log("info", `stopping on ${name}; containers go on`);
    stop.abort(new BerthError("cancelled", "berthd is stopping"));
    server.close();
    server.closeAllConnections();
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  // Whichever fails for good ends the program: it is started again by the next command or by systemd.
  await Promise.all([supervised, planned]).catch(thrown => {
    if (!stop.signal.aborted) throw thrown;
  });
  await docker[Symbol.asyncDispose]();
  await parts.engine[Symbol.asyncDispose]();
  rmSync(socketPath(settings), { force: true });
  rmSync(join(settings.run, "berthd.pid"), { force: true });
  process.exit(0);
}

/**
 * Apps, over the store. A store that is damaged must not take the rest down with it: containers are supervised and served all the same, and whoever asks for
 * apps is told what is wrong and how it is mended.
 */
async function openControlPlane(
  settings: HostSettings,
  flags: Partial<DaemonSettings>,
  { engine, builder }: ReturnType<typeof createEngine>,
  logger: Logger,
) {
  try {
    const { allowHostHooks, storeKeyCommand } = daemonSettings(flags, process.env, settings.root);
    mkdirSync(storeDirectory(settings), { recursive: true, mode: 0o700 });
    const keys = await storeKeys(storeDirectory(settings), storeKeyCommand, runProgram);
    const hostHooks = allowHostHooks ? new HostHookRunner(process.env) : undefined;
    const { apps, files, store, run } = createControlPlane(settings, engine, builder, logger, { keys, hostHooks });
    const ready = Promise.withResolvers<void>();
    return {
      apps: afterwards(apps, ready.promise),
      files: afterwards(files, ready.promise),
      backup: (path: string) => store.backup(path),
      run: (signal: AbortSignal) => run({ signal, onReady: ready.resolve }),
    };
  } catch (thrown) {
    const error = asBerthError(thrown);
    logger.log("error", `apps are not served: ${error.message}`, { hint: error.hint });
    const fail = () => Promise.reject(error);
    const broken = new Proxy({}, { get: () => fail });
    return { apps: broken, files: broken, backup: fail, run: () => Promise.resolve() };
  }
}

/** The methods of `target`, each waiting until the state is loaded: a request that comes early is not refused. */
function afterwards<T extends object>(target: T, ready: Promise<void>): T {
  return new Proxy(target, {
    get(object, name) {
      const method = Reflect.get(object, name);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => {
        const result = ready.then(() => method.apply(object, args));
        return Object.assign(result, { [Symbol.asyncIterator]: () => iterate(result) });
      };
    },
  });
}

async function* iterate(later: Promise<AsyncIterable<unknown>>) {
  yield* await later;
}

/** The lock is ours, so whatever is at the path is a dead one's. */
async function listen(server: ReturnType<typeof createApiServer>, settings: HostSettings): Promise<void> {
  const path = socketPath(settings);
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
}

/** Containers with a restart policy are started again once after each boot of the machine. */
function isFirstSinceBoot(settings: HostSettings): boolean {
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const path = join(settings.root, "boot-id");
  let known = "";
  try {
    known = readFileSync(path, "utf8").trim();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
  }
  if (known === bootId) return false;
  writeFileSync(path, bootId);
  return known !== "";
}

const logLimit_bytes = 10 * 1024 * 1024;

/** The log of a berthd that was started by a command; under systemd the journal keeps it. */
function keepLogSmall(settings: HostSettings): void {
  const path = join(settings.run, "berthd.log");
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > logLimit_bytes) writeFileSync(path, "");
}

main().catch(thrown => {
  const error = asBerthError(thrown);
  process.stderr.write(`berthd: ${error.message}\n${error.hint ? `hint: ${error.hint}\n` : ""}${error.stack}\n`);
  process.exit(1);
});
