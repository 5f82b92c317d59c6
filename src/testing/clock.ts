import type { Clock } from "../base/clock.ts";

interface Timer {
  due_ms: number;
  order: number;
  callback: () => void;
}

/** A clock that moves only when told to. Timers fire in the order of their times; everything that a timer sets off is done before the next one fires. */
export class SimulatedClock implements Clock {
  #now_ms: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(start_ms = Date.UTC(2026, 0, 1)) {
    this.#now_ms = start_ms;
  }

  now_ms(): number {
    return this.#now_ms;
  }

  after(delay_ms: number, callback: () => void): () => void {
    const timer = { due_ms: this.#now_ms + Math.max(0, delay_ms), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  sleep(delay_ms: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(delay_ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Milliseconds until the next timer; undefined when none waits. */
  next_ms(): number | undefined {
    const next = this.#next();
    return next && Math.max(0, next.due_ms - this.#now_ms);
  }

  /** Moves on by `time_ms`, firing what comes due, and lets everything settle before each step and at the end. */
  async advance(time_ms: number): Promise<void> {
    const end_ms = this.#now_ms + time_ms;
    await settle();
    for (let timer = this.#next(); timer && timer.due_ms <= end_ms; timer = this.#next()) {
      this.#timers.delete(timer);
      this.#now_ms = Math.max(this.#now_ms, timer.due_ms);
      timer.callback();
      await settle();
    }
    this.#now_ms = end_ms;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (!first || timer.due_ms < first.due_ms || (timer.due_ms === first.due_ms && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }
}

/** Resolves when every promise that can go on without time or I/O has done so: microtasks all run before an immediate does. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
