import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { EngineContext } from "../context.ts";

/**
 * The containers that there are, asked anew at each question: others go on making containers while the check looks around, and what belongs to one that was
 * made since must not be taken for a leak. A container is known from before it has anything (its place in `creating`, under lock) until after it has nothing.
 */
export class LiveContainers extends Set<string> {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    super(context.store.ids());
    this.#context = context;
    for (const directory of [context.paths.creating, context.paths.removing]) {
      for (const id of readdirSync(directory)) if (this.#isHeld(directory, id)) this.add(id);
    }
  }

  /** Ids that begin with "build-" are build steps': what killed ones left is their builder's to take down. */
  override has(id: string): boolean {
    if (id.startsWith("build-") || super.has(id)) return true;
    const { paths, store } = this.#context;
    // In the order in which a container moves, so that it is met wherever it is.
    return this.#isHeld(paths.creating, id) || store.exists(id) || this.#isHeld(paths.removing, id);
  }

  #isHeld(directory: string, id: string): boolean {
    return this.#context.locks.isHeld(join(directory, id, "lock"));
  }
}
