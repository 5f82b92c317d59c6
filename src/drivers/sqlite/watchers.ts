import { type ChangeBatch, resyncError, storeLimits, type Watch } from "../../ports/store.ts";

interface Watcher {
  prefix: string;
  push(batch: ChangeBatch): void;
  end(): void;
}

/** Hands committed changes to the watches that want them. */
export class Watchers {
  readonly #watchers = new Set<Watcher>();

  publish(batch: ChangeBatch): void {
    for (const watcher of this.#watchers) {
      const changes =
        watcher.prefix === ""
          ? batch.changes
          : batch.changes.filter(change =>
              (change.type === "put" ? change.entry.key : change.key).startsWith(watcher.prefix),
            );
      if (changes.length > 0) watcher.push({ revision: batch.revision, changes });
    }
  }

  /** `past` are the changes before now that the watch begins with, or the error that it ends with at once. Nothing before `from` is handed on. */
  open(prefix: string, past: ChangeBatch[] | Error, signal: AbortSignal | undefined, from = 0): Watch {
    const queue: ChangeBatch[] = Array.isArray(past) ? past : [];
    let failure: unknown = Array.isArray(past) ? undefined : past;
    let ended = failure !== undefined;
    let backlog = 0;
    let wake = () => {};

    const end = (thrown?: unknown) => {
      if (ended) return;
      ended = true;
      failure = thrown;
      this.#watchers.delete(watcher);
      signal?.removeEventListener("abort", onAbort);
      wake();
    };
    const onAbort = () => {
      queue.length = 0;
      end();
    };
    const watcher: Watcher = {
      prefix,
      end: () => end(),
      push(batch) {
        if (batch.revision < from) return;
        backlog += batch.changes.length;
        if (backlog > storeLimits.backlog) {
          queue.length = 0;
          return end(resyncError(`the watcher of "${prefix}" lags over ${storeLimits.backlog} changes behind`));
        }
        queue.push(batch);
        wake();
      },
    };
    if (!ended) this.#watchers.add(watcher);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });

    async function* iterate(): AsyncGenerator<ChangeBatch> {
      try {
        for (;;) {
          const batch = queue.shift();
          if (batch) {
            backlog = Math.max(0, backlog - batch.changes.length);
            yield batch;
          } else if (ended) {
            if (failure !== undefined) throw failure;
            return;
          } else {
            await new Promise<void>(resolve => {
              wake = resolve;
            });
          }
        }
      } finally {
        end();
      }
    }
    return { [Symbol.asyncIterator]: iterate, [Symbol.dispose]: () => end() };
  }

  closeAll(): void {
    for (const watcher of [...this.#watchers]) watcher.end();
  }
}
