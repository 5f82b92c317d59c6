/** What sessions of this process want done once a container is made and before its program begins. */
export class StartHooks {
  readonly #hooks = new Map<string, Set<() => Promise<void>>>();

  /** Returns what takes the hook away again. */
  add(id: string, hook: () => Promise<void>): () => void {
    const hooks = this.#hooks.get(id) ?? new Set();
    this.#hooks.set(id, hooks.add(hook));
    return () => {
      hooks.delete(hook);
      if (hooks.size === 0) this.#hooks.delete(id);
    };
  }

  /** Hooks must not throw. */
  async run(id: string): Promise<void> {
    await Promise.all([...(this.#hooks.get(id) ?? [])].map(hook => hook()));
  }
}
