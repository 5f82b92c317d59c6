import { type FSWatcher, watch } from "node:fs";
import type { Clock } from "../../base/clock.ts";

/** Longest wait for a change; a change notice lost by the kernel (queue overflow) then costs this much and no more. */
const longestWait_ms = 5_000;

/**
 * Says when something changed in directories, by inotify. `next` never misses a change made after the watch was opened, so the pattern is: open, look, and
 * if it is not yet so, await next and look again.
 */
export class DirectoryWatch implements Disposable {
  readonly #clock: Clock;
  readonly #watchers: FSWatcher[] = [];
  /** Called at once at every change, also while nobody awaits `next`. */
  onChange: (() => void) | undefined;
  #dirty = false;
  #wake: (() => void) | undefined;

  /** Directories that are not there are left out. `interesting` filters by file name. */
  constructor(clock: Clock, directories: string[], interesting: (name: string) => boolean = () => true) {
    this.#clock = clock;
    for (const directory of directories) this.add(directory, interesting);
  }

  /** False where the directory is not there. */
  add(directory: string, interesting: (name: string) => boolean = () => true): boolean {
    try {
      const watcher = watch(directory, (_, name) => {
        if (name === null || interesting(name)) this.poke();
      });
      watcher.on("error", () => this.poke());
      this.#watchers.push(watcher);
      return true;
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code;
      if (code === "ENOENT" || code === "ENOTDIR") return false;
      throw thrown;
    }
  }

  /** As if something had changed. */
  poke(): void {
    this.#dirty = true;
    this.onChange?.();
    this.#wake?.();
  }

  /** Resolves at the next change, or after a while without one; rejects with the signal's reason. */
  async next(options: { signal?: AbortSignal; timeout_ms?: number } = {}): Promise<void> {
    const { signal, timeout_ms = longestWait_ms } = options;
    signal?.throwIfAborted();
    if (!this.#dirty && timeout_ms > 0) {
      await new Promise<void>(resolve => {
        const cancel = this.#clock.after(Math.min(timeout_ms, longestWait_ms), done);
        signal?.addEventListener("abort", done, { once: true });
        this.#wake = done;
        function done() {
          cancel();
          signal?.removeEventListener("abort", done);
          resolve();
        }
      });
      this.#wake = undefined;
      signal?.throwIfAborted();
    }
    this.#dirty = false;
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#wake?.();
  }
}
