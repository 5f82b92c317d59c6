import type { Clock } from "../base/clock.ts";
import { asBerthError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { type Operation, type Store, storeLimits, type Transaction } from "../ports/store.ts";
import type { Loop, TickInput, Write } from "./loop.ts";
import type { Mirror } from "./mirror.ts";

export interface RunnerParts {
  store: Store;
  mirror: Mirror;
  clock: Clock;
  logger: Logger;
  newId: () => string;
  random: () => number;
}

/** Revisions kept for watchers that come back. */
const keptRevisions = 20_000;
const retryDelay_ms = 1000;

/**
 * Drives the loops: a change marks keys dirty, a dirty key is ticked, what the tick returns is committed, and only then (with the state as it became)
 * comes the next loop. One runner is the only one that runs in a cluster.
 */
export class Runner {
  readonly #parts: RunnerParts;
  readonly #loops: { loop: Loop; dirty: Set<string> }[];
  readonly #timers = new Map<string, { at_ms: number; cancel: () => void }>();
  #wake: () => void = () => {};

  constructor(parts: RunnerParts, loops: Loop[]) {
    this.#parts = parts;
    this.#loops = loops.map(loop => ({ loop, dirty: new Set() }));
  }

  /** Until aborted. The mirror must be ready. */
  async run(signal: AbortSignal): Promise<void> {
    const { mirror } = this.#parts;
    this.#markAll();
    const stops = [
      mirror.onChange((changes, state) => {
        for (const { loop, dirty } of this.#loops) {
          for (const change of changes) for (const key of loop.concerns(change, state)) dirty.add(key);
        }
        this.#wake();
      }),
      mirror.onReset(() => this.#markAll()),
    ];
    const onAbort = () => this.#wake();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        if (this.#loops.every(({ dirty }) => dirty.size === 0)) {
          await new Promise<void>(resolve => {
            this.#wake = resolve;
          });
        }
        for (const entry of this.#loops) {
          if (signal.aborted) return;
          if (entry.dirty.size > 0) await this.#tick(entry, signal);
        }
        await this.#compact(signal);
      }
    } finally {
      for (const stop of stops) stop();
      signal.removeEventListener("abort", onAbort);
      for (const { cancel } of this.#timers.values()) cancel();
      this.#timers.clear();
    }
  }

  #markAll(): void {
    for (const { loop, dirty } of this.#loops) for (const key of loop.all(this.#parts.mirror.state)) dirty.add(key);
    this.#wake();
  }

  async #tick({ loop, dirty }: { loop: Loop; dirty: Set<string> }, signal: AbortSignal): Promise<void> {
    const { mirror, clock, newId, random } = this.#parts;
    const keys = [...dirty];
    dirty.clear();
    const input: TickInput = { state: mirror.state, now_ms: clock.now_ms(), newId, random };
    const groups: { key: string; writes: Write[] }[] = [];
    for (const key of keys) {
      const result = loop.tick(key, input);
      for (const writes of result.writes) if (writes.length > 0) groups.push({ key, writes });
      for (const wake of result.wakes) this.#wakeAt(loop, dirty, wake);
    }
    const packs = pack(groups);
    const outcomes = await Promise.all(packs.map(each => this.#commit(loop, each, dirty, signal)));
    const revision = Math.max(0, ...outcomes);
    if (!signal.aborted) await mirror.reached(revision, signal).catch(() => undefined);
  }

  /** Revision that the mirror must reach before anybody decides again. What could not be written is decided again. */
  async #commit(loop: Loop, each: Pack, dirty: Set<string>, signal: AbortSignal): Promise<number> {
    const { store, logger, clock } = this.#parts;
    try {
      const { committed, revision } = await store.commit(each.transaction, { signal });
      if (!committed) for (const key of each.keys) dirty.add(key);
      return revision;
    } catch (thrown) {
      if (signal.aborted) return 0;
      // A full disk or a store that is away: nothing is lost, since everything is decided anew from what the store has.
      const error = asBerthError(thrown);
      logger.log("error", error.message, { loop: loop.name, hint: error.hint });
      for (const key of each.keys) this.#wakeAt(loop, dirty, { key, at_ms: clock.now_ms() + retryDelay_ms });
      return 0;
    }
  }

  #wakeAt(loop: Loop, dirty: Set<string>, { key, at_ms }: { key: string; at_ms: number }): void {
    const name = `${loop.name} ${key}`;
    const known = this.#timers.get(name);
    if (known && known.at_ms <= at_ms) return;
    known?.cancel();
    const cancel = this.#parts.clock.after(Math.max(0, at_ms - this.#parts.clock.now_ms()), () => {
      this.#timers.delete(name);
      dirty.add(key);
      this.#wake();
    });
    this.#timers.set(name, { at_ms, cancel });
  }

  async #compact(signal: AbortSignal): Promise<void> {
    const { store, mirror } = this.#parts;
    if (mirror.state.revision % 1000 > 50 || mirror.state.revision < keptRevisions) return;
    const status = await store.status({ signal });
    const oldest = mirror.state.revision - keptRevisions;
    if (status.compactedRevision < oldest - 1000) await store.compact(oldest, { signal });
  }
}

interface Pack {
  keys: string[];
  transaction: Transaction;
}

/** Fills transactions up to the store's limit, never splitting a group. */
function pack(groups: { key: string; writes: Write[] }[]): Pack[] {
  const packs: { keys: string[]; writes: Write[] }[] = [];
  for (const { key, writes } of groups) {
    let last = packs.at(-1);
    if (!last || last.writes.length + writes.length > storeLimits.operations) {
      packs.push((last = { keys: [], writes: [] }));
    }
    last.keys.push(key);
    last.writes.push(...writes);
  }
  return packs.map(({ keys, writes }) => ({
    keys,
    transaction: {
      compare: writes.map(({ key, revision }) => ({ key, modRevision: revision })),
      operations: writes.map(
        ({ key, value }): Operation =>
          value === undefined ? { type: "delete", key } : { type: "put", key, value: JSON.stringify(value) },
      ),
    },
  }));
}
