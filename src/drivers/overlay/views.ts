import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LayerRecord } from "./layer-records.ts";
import { mountOverlay } from "./overlay-mount.ts";
import type { StoreLayout } from "./store-layout.ts";
import { unmountView, type WorkArea } from "./work-area.ts";

interface View {
  directory: Promise<string>;
  users: number;
}

/** Read-only mounts of layers, one for an id however many use it, gone with the last user or with this process. */
export class Views {
  readonly #layout: StoreLayout;
  readonly #work: WorkArea;
  readonly #views = new Map<string, View>();

  constructor(layout: StoreLayout, work: WorkArea) {
    this.#layout = layout;
    this.#work = work;
  }

  async open(id: string, stack: LayerRecord[]): Promise<{ path: string } & AsyncDisposable> {
    let view = this.#views.get(id);
    if (view === undefined) {
      view = { directory: this.#mount(stack), users: 0 };
      this.#views.set(id, view);
    }
    view.users++;
    const opened = view;
    let open = true;
    const close = async () => {
      if (!open) return;
      open = false;
      opened.users--;
      if (opened.users > 0) return;
      if (this.#views.get(id) === opened) this.#views.delete(id);
      const directory = await opened.directory;
      unmountView(directory);
      this.#work.discard(directory);
    };
    try {
      return { path: join(await view.directory, "merged"), [Symbol.asyncDispose]: close };
    } catch (thrown) {
      if (this.#views.get(id) === opened) this.#views.delete(id);
      throw thrown;
    }
  }

  /** All of this process, at its end. */
  async closeAll(): Promise<void> {
    const all = [...this.#views.values()];
    this.#views.clear();
    for (const view of all) unmountView(await view.directory);
  }

  async #mount(stack: LayerRecord[]): Promise<string> {
    const directory = await this.#work.makeDirectory("view");
    const fillers = ["empty-1", "empty-2"].map(name => join(directory, name));
    const target = join(directory, "merged");
    for (const path of [...fillers, target]) mkdirSync(path);
    try {
      // Without an upper directory overlayfs wants two lower ones.
      const layers = stack.map(record => record.link);
      const enough = layers.length >= 2 ? layers : [...fillers.slice(layers.length), ...layers];
      mountOverlay({ links: this.#layout.links, layers: enough, target });
      return directory;
    } catch (thrown) {
      this.#work.discard(directory);
      throw thrown;
    }
  }
}
