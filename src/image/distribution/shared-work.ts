/** Work that several callers want at once is done once: who comes later joins in, and it is cancelled only when all have given up. */
export class SharedWork<T, P> {
  readonly #running = new Map<string, Running<T, P>>();

  async join(
    key: string,
    work: (signal: AbortSignal, report: (progress: P) => void) => Promise<T>,
    options: { signal?: AbortSignal; onProgress?: (progress: P) => void } = {},
  ): Promise<T> {
    options.signal?.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key, work);
    const { signal, onProgress } = options;
    const member = { onProgress };
    running.members.add(member);
    if (running.last !== undefined) onProgress?.(running.last);
    try {
      return await (signal === undefined ? running.result : untilAborted(running.result, signal));
    } finally {
      running.members.delete(member);
      if (running.members.size === 0) {
        running.controller.abort(signal?.reason);
        // The key is free again only when the cancelled work has let go of its files.
        if (this.#running.get(key) === running) this.#running.delete(key);
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal, report: (progress: P) => void) => Promise<T>): Running<T, P> {
    const controller = new AbortController();
    const members: Running<T, P>["members"] = new Set();
    const report = (progress: P) => {
      running.last = progress;
      for (const { onProgress } of members) onProgress?.(progress);
    };
    const running: Running<T, P> = {
      controller,
      members,
      last: undefined,
      result: Promise.resolve().then(() => work(controller.signal, report)),
    };
    running.result.catch(() => {});
    this.#running.set(key, running);
    return running;
  }
}

interface Running<T, P> {
  controller: AbortController;
  members: Set<{ onProgress?: (progress: P) => void }>;
  last: P | undefined;
  result: Promise<T>;
}

function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
