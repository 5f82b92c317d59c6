import { BerthError, isCode } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { containerEvent } from "../lifecycle/attributes.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { type Held, settle, withContainer } from "../lifecycle/settle.ts";
import { signalNumber } from "../signals.ts";
import { DirectoryWatch } from "../state/directory-watch.ts";

/** How long a killed process may take to be gone before the engine says that it is stuck (in the kernel, e.g. on a dead NFS server). */
const killPatience_ms = 30_000;
/** How often to look at a process whose end nobody announces. */
export const unmonitoredPoll_ms = 20;
const sigkill = 9;

/** Sends a signal; after KILL waits for the end. Throws `conflict` when the container does not run. */
export async function killContainer(
  context: EngineContext,
  reference: string,
  signal: string,
  options: CallOptions = {},
): Promise<void> {
  const number = signalNumber(signal || "KILL");
  const id = await withContainer(context, reference, options, async held => {
    requireRunning(context, held, "signal");
    // Docker's rule: a kill by hand is a stop by hand, whatever the policy says, when the signal is meant to end it.
    const ends = number === sigkill || number === signalNumber(held.config.process.stopSignal);
    if (ends) writeStoppedByUser(context, held);
    if (number === sigkill) await thaw(context, held, options);
    await send(context, held, number, options);
    return held.id;
  });
  if (number === sigkill) await waitEnded(context, id, killPatience_ms, options);
}

export interface StopOptions extends CallOptions {
  /** -1 waits for ever. Default: the container's own. */
  timeout_ms?: number;
  stopSignal?: string;
}

/** Stop signal, patience, then KILL; returns when the end is written down and cleaned up. False when it did not run. */
export async function stopContainer(
  context: EngineContext,
  reference: string,
  options: StopOptions = {},
): Promise<boolean> {
  const stopping = await withContainer(context, reference, options, async held => {
    const waiting = held.state.restart !== undefined;
    const running = isRunning(look(context, held.id));
    if (running || waiting) writeStoppedByUser(context, held);
    if (!running) return { id: held.id, patience_ms: 0, idle: !waiting };
    const { process } = held.config;
    await thaw(context, held, options);
    await send(context, held, signalNumber(options.stopSignal || process.stopSignal), options);
    return { id: held.id, patience_ms: options.timeout_ms ?? process.stopTimeout_ms, idle: false };
  });
  if (stopping.idle) return false;
  const patience_ms = stopping.patience_ms < 0 ? Number.POSITIVE_INFINITY : stopping.patience_ms;
  if (!(await waitEnded(context, stopping.id, patience_ms, options))) await forceEnd(context, stopping.id, options);
  const config = context.store.tryConfig(stopping.id);
  if (config) containerEvent(context, config, "stop");
  return true;
}

/** KILL to whatever runs in the container, then its end is written down. Does nothing to one that does not run. */
export async function forceEnd(
  context: EngineContext,
  id: string,
  options: CallOptions & { byPolicy?: boolean } = {},
): Promise<void> {
  try {
    await withContainer(context, id, options, async held => {
      if (!isRunning(look(context, id))) return;
      if (!options.byPolicy) writeStoppedByUser(context, held);
      await thaw(context, held, options);
      await send(context, held, sigkill, options);
    });
  } catch (thrown) {
    if (!isCode(thrown, "not_found")) throw thrown;
    return;
  }
  if (await waitEnded(context, id, killPatience_ms, options)) return;
  throw new BerthError(
    "timeout",
    `container ${id.slice(0, 12)} was killed ${killPatience_ms / 1000} s ago and still runs`,
    {
      hint: "its process is stuck in the kernel, often on storage that does not answer: see the host's kernel log",
    },
  );
}

/** Waits until it has ended, and finishes the exit. False when it still runs after `patience_ms`. */
export async function waitEnded(
  context: EngineContext,
  id: string,
  patience_ms: number,
  options: CallOptions = {},
): Promise<boolean> {
  const { clock, paths, runtime, store } = context;
  const deadline_ms = clock.now_ms() + patience_ms;
  using watch = new DirectoryWatch(clock, [runtime.exitsDirectory], name => name.startsWith(id));
  watch.add(paths.container(id), name => name === "state.json");
  for (;;) {
    const seen = look(context, id);
    if (!store.exists(id) || !isRunning(seen)) break;
    const left_ms = deadline_ms - clock.now_ms();
    if (left_ms <= 0) return false;
    // An unmonitored container ends without a word: only looking again helps.
    const poll_ms = seen.observed.kind === "unmonitored" ? unmonitoredPoll_ms : left_ms;
    await watch.next({ signal: options.signal, timeout_ms: Math.min(poll_ms, left_ms) });
  }
  try {
    await using _lock = await store.lock(id, options);
    await settle(context, id);
  } catch (thrown) {
    if (!isCode(thrown, "not_found")) throw thrown;
  }
  return true;
}

export function requireRunning(context: EngineContext, { id, config, state }: Held, verb: string): void {
  if (isRunning(look(context, id, state))) return;
  throw new BerthError("conflict", `cannot ${verb} container ${config.name}: it is not running`, {
    hint: `start it first: berth start ${config.name}`,
  });
}

/** A frozen process takes no signal. */
async function thaw(context: EngineContext, held: Held, options: CallOptions): Promise<void> {
  if (!held.state.paused) return;
  await context.runtime.resume(held.id, options);
  held.state = { ...held.state, paused: false };
  context.store.writeState(held.id, held.state);
}

async function send(context: EngineContext, held: Held, signal: number, options: CallOptions): Promise<void> {
  try {
    await context.runtime.kill(held.id, String(signal), options);
  } catch (thrown) {
    // It has ended by itself, and its monitor is about to write that down: there is nothing left to signal.
    if (!isCode(thrown, "conflict", "not_found")) throw thrown;
  }
  containerEvent(context, held.config, "kill", { signal: String(signal) });
}

/** Also cancels a restart that waits for its time. */
function writeStoppedByUser(context: EngineContext, held: Held): void {
  if (held.state.stoppedByUser && held.state.restart === undefined) return;
  held.state = { ...held.state, stoppedByUser: true, restart: undefined };
  context.store.writeState(held.id, held.state);
}
