/** Time as an input, so that a whole cluster runs under a simulated clock. Milliseconds throughout. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now_ms(): number;
  /** Resolves after `delay_ms`, or rejects with the signal's reason. */
  sleep(delay_ms: number, options?: { signal?: AbortSignal }): Promise<void>;
  /** Calls back once after `delay_ms`; the returned function cancels it. */
  after(delay_ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now_ms: () => Date.now(),

  sleep(delay_ms, { signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, delay_ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },

  after(delay_ms, callback) {
    const timer = setTimeout(callback, delay_ms);
    return () => clearTimeout(timer);
  },
};
