import { needsResync, type Store } from "../ports/store.ts";
import { ClusterState, type StateChange } from "./state.ts";

export type StateListener = (changes: StateChange[], state: ClusterState) => void;

/** Keeps a ClusterState equal to the store. After a gap in the watch it is built anew, and listeners of `onReset` start over. */
export class Mirror {
  readonly #store: Store;
  readonly #listeners = new Set<StateListener>();
  readonly #resets = new Set<() => void>();
  #waiters: { revision: number; resolve: () => void }[] = [];
  state = new ClusterState();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Called with each transaction, after the state has it. */
  onChange(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onReset(listener: () => void): () => void {
    this.#resets.add(listener);
    return () => this.#resets.delete(listener);
  }

  /** Resolves once the state has this revision. Revisions of changes to keys that are not watched do not exist: every key is. */
  async reached(revision: number, signal?: AbortSignal): Promise<void> {
    if (this.state.revision >= revision) return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiters.push({
        revision,
        resolve() {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      });
    });
  }

  /** Loads everything, calls `onReady`, and follows until aborted. Throws what the store throws. */
  async run(signal: AbortSignal, onReady: () => void): Promise<void> {
    let ready = false;
    while (!signal.aborted) {
      const { items, revision } = await this.#store.list("", { signal });
      const state = new ClusterState();
      for (const entry of items) state.apply({ type: "put", entry });
      state.revision = revision;
      this.state = state;
      this.#wake();
      if (ready) for (const reset of this.#resets) reset();
      else onReady();
      ready = true;
      await this.#follow(revision + 1, signal);
    }
  }

  async #follow(from: number, signal: AbortSignal): Promise<void> {
    try {
      for await (const batch of this.#store.watch("", { from, signal })) {
        const changes: StateChange[] = [];
        for (const change of batch.changes) {
          const seen = this.state.apply(change);
          if (seen) changes.push(seen);
        }
        this.state.revision = batch.revision;
        for (const listener of this.#listeners) listener(changes, this.state);
        this.#wake();
      }
    } catch (thrown) {
      if (!needsResync(thrown)) throw thrown;
    }
  }

  #wake(): void {
    const due = this.#waiters.filter(waiter => waiter.revision <= this.state.revision);
    this.#waiters = this.#waiters.filter(waiter => waiter.revision > this.state.revision);
    for (const waiter of due) waiter.resolve();
  }
}
