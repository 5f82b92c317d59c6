import { isCode } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { WaitCondition } from "../../ports/engine.ts";
import type { Lock } from "../../ports/locks.ts";
import type { EngineContext } from "../context.ts";
import { isRunning, look, lostExitCode } from "../lifecycle/look.ts";
import { settle } from "../lifecycle/settle.ts";
import { DirectoryWatch } from "../state/directory-watch.ts";
import { unmonitoredPoll_ms } from "./signal-container.ts";

export interface WaitOptions extends CallOptions {
  condition?: WaitCondition;
  onRegistered?: () => void;
}

interface Outcome {
  exitCode: number;
  error?: string;
}

interface View {
  running: boolean;
  /** Waits for a restart by policy: will run again by itself. */
  restarting: boolean;
  unmonitored: boolean;
  /** Nobody has written the end down yet. */
  unfinished: boolean;
  runs: number;
  outcome: Outcome;
}

/**
 * Waits for an end, and finishes the exit if nobody else is at it, so that a foreground run with no daemon needs no help. From `onRegistered` on no exit can be
 * missed, nor that of a container which removes itself.
 */
export async function waitContainer(
  context: EngineContext,
  reference: string,
  { condition = "not-running", onRegistered, signal }: WaitOptions,
): Promise<Outcome> {
  const { store, paths, runtime, clock } = context;
  const id = store.find(reference);
  using watch = new DirectoryWatch(clock, [runtime.exitsDirectory], name => name.startsWith(id));
  watch.add(paths.container(id), name => name === "state.json");
  watch.add(paths.containers, name => name === id);
  const registered_ms = clock.now_ms();
  const before = view(context, id)?.runs ?? 0;
  let last: Outcome | undefined;
  await using keeper = new Keeper(context, id);
  onRegistered?.();
  for (;;) {
    const now = view(context, id);
    keeper.hold(now?.running ?? false);
    if (now === undefined) return last ?? (await outcomeFromEvents(context, id, registered_ms));
    if (!now.running && now.runs > before) last = now.outcome;
    if (now.unfinished) await finish(context, id);
    if (condition === "next-exit" && now.runs > before) return now.outcome;
    if (condition === "not-running" && !now.running && !willRestart(context, id, now)) return now.outcome;
    if (!now.unfinished) await watch.next({ signal, timeout_ms: now.unmonitored ? unmonitoredPoll_ms : undefined });
  }
}

/**
 * Who waits will finish the exit, so the monitor's exit command need not start a process for it. Only where no restart may follow: that must not depend on
 * a command which somebody has suspended.
 */
class Keeper implements AsyncDisposable {
  readonly #context: EngineContext;
  readonly #id: string;
  readonly #wanted: boolean;
  #lock: Lock | undefined;

  constructor(context: EngineContext, id: string) {
    this.#context = context;
    this.#id = id;
    this.#wanted = context.store.tryConfig(id)?.spec.restart.name === "no";
  }

  hold(running: boolean): void {
    if (!running || !this.#wanted || this.#lock !== undefined) return;
    try {
      this.#lock = this.#context.locks.tryAcquire(this.#context.paths.keeper(this.#id));
    } catch (thrown) {
      // It has just ended, and its directory has gone.
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock?.[Symbol.asyncDispose]();
  }
}

/** Only a finished exit says whether a restart follows. */
function willRestart(context: EngineContext, id: string, now: View): boolean {
  return now.unfinished ? (view(context, id)?.restarting ?? false) : now.restarting;
}

function view(context: EngineContext, id: string): View | undefined {
  if (!context.store.exists(id)) return undefined;
  const seen = look(context, id);
  const { stored, observed } = seen;
  const unfinished = observed.kind === "ended" || observed.kind === "lost";
  const recorded = stored.phase !== "running" && stored.finishedAt !== undefined && !isNewer(seen);
  return {
    running: isRunning(seen) || observed.kind === "starting",
    restarting: stored.restart !== undefined,
    unmonitored: observed.kind === "unmonitored",
    unfinished,
    runs: stored.runs + (unfinished && !recorded ? 1 : 0),
    outcome: outcomeOf(seen),
  };
}

function isNewer({ stored, observed }: ReturnType<typeof look>): boolean {
  return observed.kind === "ended" && observed.exit.finished_ms - Date.parse(stored.finishedAt ?? "") >= 1;
}

function outcomeOf({ stored, observed }: ReturnType<typeof look>): Outcome {
  if (observed.kind === "ended") return { exitCode: observed.exit.exitCode };
  if (observed.kind === "lost") return { exitCode: lostExitCode, error: observed.reason };
  return { exitCode: stored.exitCode, error: stored.error || undefined };
}

async function finish(context: EngineContext, id: string): Promise<void> {
  try {
    await using _lock = await context.store.lock(id);
    await settle(context, id);
  } catch (thrown) {
    if (!isCode(thrown, "not_found")) throw thrown;
  }
}

/** It was gone before its end could be seen; the log of events remembers the exit code. */
async function outcomeFromEvents(context: EngineContext, id: string, since_ms: number): Promise<Outcome> {
  let found: Outcome = { exitCode: 0 };
  const filters = { container: [id], event: ["die"] };
  for await (const event of context.events.read({ since_ms, until_ms: context.clock.now_ms(), filters })) {
    found = { exitCode: Number(event.attributes["exitCode"] ?? 0) };
  }
  return found;
}
