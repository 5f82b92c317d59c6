import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { newId, shortId } from "../../base/ids.ts";
import type { Lock, Locks } from "../../ports/locks.ts";
import { unmountIfMounted } from "../linux/mount.ts";
import { isSystem } from "./layer-writer.ts";
import type { StoreLayout } from "./store-layout.ts";

/**
 * Temporary directories of this process, below work/<owner>, which it holds locked as long as it lives. Whatever happens to the process, the kernel drops the lock, and
 * the next `sweep` of any process removes what was left: half-unpacked layers and mounted views.
 */
export class WorkArea implements AsyncDisposable {
  readonly #layout: StoreLayout;
  readonly #locks: Locks;
  #own: Promise<{ path: string; lock: Lock }> | undefined;
  #count = 0;
  #deleting: Promise<void> = Promise.resolve();

  constructor(layout: StoreLayout, locks: Locks) {
    this.#layout = layout;
    this.#locks = locks;
  }

  /** A fresh directory, private to this process. The caller renames or discards it. */
  async makeDirectory(kind: "layer" | "root" | "view"): Promise<string> {
    this.#own ??= this.#claim();
    const { path } = await this.#own;
    const directory = join(path, `${kind}-${this.#count++}`);
    mkdirSync(directory, { mode: 0o700 });
    return directory;
  }

  /** Moves a directory out of sight now and deletes it in the background; gone already is fine. */
  discard(directory: string): void {
    const grave = join(this.#layout.trash, newId().slice(0, 32));
    try {
      renameSync(directory, grave);
    } catch (thrown) {
      if (isSystem(thrown, "ENOENT")) return;
      throw thrown;
    }
    this.#delete(grave);
  }

  /** Resolves when all deleting is done. */
  async settle(): Promise<void> {
    await this.#deleting;
  }

  /** Removes what dead processes left. The caller holds the store lock alone, so that no area is just being claimed. */
  sweep(): void {
    for (const owner of readdirSync(this.#layout.work)) {
      const path = join(this.#layout.work, owner);
      const lock = this.#locks.tryAcquire(join(path, "lock"));
      if (lock === undefined) continue;
      for (const entry of readdirSync(path)) {
        if (entry.startsWith("view-")) unmountView(join(path, entry));
      }
      this.discard(path);
      void lock[Symbol.asyncDispose]();
    }
    for (const grave of readdirSync(this.#layout.trash)) this.#delete(join(this.#layout.trash, grave));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const own = await this.#own;
    this.#own = undefined;
    if (own !== undefined) {
      this.discard(own.path);
      await own.lock[Symbol.asyncDispose]();
    }
    await this.settle();
  }

  async #claim(): Promise<{ path: string; lock: Lock }> {
    await using _ = await this.#locks.acquire(this.#layout.storeLock, { shared: true });
    const path = join(this.#layout.work, shortId(newId()));
    mkdirSync(path, { mode: 0o700 });
    return { path, lock: await this.#locks.acquire(join(path, "lock")) };
  }

  /** One at a time: deleting is disk work that nobody waits for. What resists stays in trash/ for the next sweep. */
  #delete(grave: string): void {
    this.#deleting = this.#deleting.then(() => rm(grave, { recursive: true, force: true })).catch(() => undefined);
  }
}

/** A view's mount goes before its directory, so that deleting never walks into layers. */
export function unmountView(directory: string): void {
  const merged = join(directory, "merged");
  if (!existsSync(merged)) return;
  unmountIfMounted(merged);
  rmdirSync(merged);
}
