import { mkdirSync } from "node:fs";
import { asBerthError, BerthError, isCode } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Lock } from "../../ports/locks.ts";
import type { EngineContext } from "../context.ts";
import { logLimits } from "../logs/log-options.ts";
import { decideRestart } from "../restart-decision.ts";
import { linkingTo } from "../start/links.ts";
import { type JoinedNetworks, joinNetworks, openNamespace } from "../start/network-setup.ts";
import { prepareMounts } from "../start/prepare-mounts.ts";
import { writeBundle } from "../start/runtime-spec.ts";
import { writeNetworkFiles } from "../start/write-network-files.ts";
import { processStart } from "../state/process-alive.ts";
import type { ContainerConfig, StoredState } from "../state/record.ts";
import { together } from "../together.ts";
import { arrangeRestart } from "./arrange-restart.ts";
import { containerEvent } from "./attributes.ts";
import { cleanUpRun } from "./clean-up-run.ts";
import { startKeeperIfNeeded } from "./keeper.ts";
import { removeLocked } from "./remove-locked.ts";
import type { Held } from "./settle.ts";

const aliveWait_ms = 5_000;

export interface StartOptions extends CallOptions {
  /** A restart by policy: counted, and its failure leads to the next try. */
  byPolicy?: boolean;
}

/**
 * Starts a settled container whose lock is held. The run directory, made first, is the note that a start is going on: whoever finds it with nobody alive
 * undoes the rest. What can go on at once does: mounts beside the namespace, then the runtime's slow `create` beside addresses and ports.
 */
export async function startHeld(context: EngineContext, held: Held, options: StartOptions = {}): Promise<void> {
  const { config } = held;
  let failure: unknown;
  {
    mkdirSync(context.paths.bundle(config.id), { recursive: true, mode: 0o711 });
    // Nobody can hold it for long: the container is locked and settled. Who only looks whether it is held may have it for an instant.
    await using alive = await context.locks.acquire(context.paths.alive(config.id), { timeout_ms: aliveWait_ms });
    try {
      const run = await launch(context, config, alive, options);
      recordStart(context, held, run, options);
      startKeeperIfNeeded(context, config);
      updateLinking(context, config);
      return;
    } catch (thrown) {
      failure = thrown;
    }
  }
  await undo(context, held, failure, options);
}

interface LaunchedRun extends JoinedNetworks {
  pid: number;
  monitorPid: number;
}

async function launch(
  context: EngineContext,
  config: ContainerConfig,
  alive: Lock,
  options: StartOptions,
): Promise<LaunchedRun> {
  const { runtime, paths } = context;
  const { id, spec } = config;
  const [netnsPath, mounts] = await together(
    openNamespace(context, config, options),
    prepareMounts(context, config, options),
  );
  const limits = logLimits(spec.log);
  const bundle = paths.bundle(id);
  const create = async () => {
    await writeBundle(context, config, { netnsPath, ...mounts });
    return await runtime.create(
      {
        id,
        bundle,
        tty: spec.tty ?? false,
        openStdin: spec.openStdin ?? false,
        stdinOnce: spec.stdinOnce ?? false,
        logPath: limits && paths.log(id),
        logSizeMax_bytes: limits && safetyBound_bytes(limits.maxSize_bytes * limits.maxFiles),
        exitCommand: [paths.exitScript, id],
        lockFd: alive.fd,
      },
      options,
    );
  };
  const [created, joined] = await together(create(), joinNetworks(context, config, netnsPath, options));
  options.signal?.throwIfAborted();
  await context.startHooks.run(id);
  await runtime.start(id, options);
  return { ...created, ...joined };
}

/** Nobody may be there to rotate; then the monitor itself starts its log anew far above what rotation would keep. */
function safetyBound_bytes(kept_bytes: number): number | undefined {
  return Number.isFinite(kept_bytes) ? Math.max(64 * 1024 ** 2, kept_bytes * 4) : undefined;
}

function recordStart(context: EngineContext, { config, state }: Held, run: LaunchedRun, { byPolicy }: StartOptions) {
  const next: StoredState = {
    ...state,
    phase: "running",
    paused: false,
    bootId: context.bootId,
    pid: run.pid,
    pidStart: processStart(run.pid) ?? "",
    monitorPid: run.monitorPid,
    monitorStart: processStart(run.monitorPid) ?? "",
    exitCode: 0,
    oomKilled: false,
    error: "",
    startedAt: new Date(context.clock.now_ms()).toISOString(),
    stoppedByUser: false,
    restartCount: byPolicy ? state.restartCount + 1 : 0,
    delayBefore_ms: byPolicy ? (state.restart?.delay_ms ?? 0) : 0,
    restart: undefined,
    lastHealth: undefined,
    unhealthy: undefined,
    endpoints: run.endpoints,
    publishedPorts: run.publishedPorts,
  };
  context.store.writeState(config.id, next);
  containerEvent(context, config, "start");
}

/** The address that others know from links may have changed. */
function updateLinking(context: EngineContext, config: ContainerConfig): void {
  for (const other of linkingTo(context, config)) {
    const state = context.store.state(other.id);
    if (state.phase === "running") writeNetworkFiles(context, other, state.endpoints);
  }
}

/** Takes back what was done, writes down why, and throws it. */
async function undo(context: EngineContext, held: Held, thrown: unknown, options: StartOptions): Promise<never> {
  const { config, state } = held;
  await cleanUpRun(context, config);
  if (isCode(thrown, "cancelled") || options.signal?.aborted) throw thrown;
  const failure = startFailure(config, thrown);
  const failed: StoredState = {
    ...state,
    error: failure.message,
    exitCode: Number(failure.details?.["exitCode"] ?? 128),
    restart: undefined,
  };
  if (options.byPolicy) planNextTry(context, config, failed, state.restart?.delay_ms ?? 0);
  context.store.writeState(config.id, failed);
  arrangeRestart(context, config.id, failed);
  if (config.spec.autoRemove) await removeLocked(context, config, { volumes: true });
  throw failure;
}

function planNextTry(context: EngineContext, config: ContainerConfig, failed: StoredState, previousDelay_ms: number) {
  failed.restartCount++;
  const decision = decideRestart({
    policy: config.spec.restart,
    exitCode: failed.exitCode,
    stoppedByUser: failed.stoppedByUser,
    restartCount: failed.restartCount,
    ran_ms: 0,
    previousDelay_ms,
    unhealthy: false,
  });
  if (decision.restart) {
    failed.restart = { at_ms: context.clock.now_ms() + decision.delay_ms, delay_ms: decision.delay_ms };
  }
}

/** The runtime's words in a sentence, with the exit code that shells use: 127 not found, 126 cannot be run. */
function startFailure(config: ContainerConfig, thrown: unknown): BerthError {
  const cause = asBerthError(thrown);
  if (cause.details?.["exitCode"] !== undefined || cause.code !== "internal") return cause;
  const notFound = /executable file (`.*` )?not found|no such file or directory/i.test(cause.message);
  const notRunnable = /permission denied|not permitted|is a directory|exec format error/i.test(cause.message);
  return new BerthError("invalid", `cannot start container ${config.name}: ${cause.message}`, {
    cause: thrown,
    hint: notFound
      ? `check that ${JSON.stringify(config.process.args[0])} exists in the image, and the paths of its mounts`
      : undefined,
    details: { exitCode: notFound ? 127 : notRunnable ? 126 : 128 },
  });
}
