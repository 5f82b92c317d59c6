import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Store } from "../ports/store.ts";
import { allocate } from "./allocate/allocate.ts";
import { collect } from "./collect/collect.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import type { Keyring } from "./files/keyring.ts";
import { StoredFiles } from "./files/stored-files.ts";
import { gate } from "./gate/gate.ts";
import type { Loop } from "./loop.ts";
import { Mirror } from "./mirror.ts";
import { orchestrate } from "./orchestrate/orchestrate.ts";
import { outcome } from "./outcome/outcome.ts";
import { placeLoop } from "./place/place-loop.ts";
import { rollout } from "./rollout/rollout.ts";
import { Runner } from "./runner.ts";
import { scheduleLoop } from "./schedule/schedule-loop.ts";

export interface ControlPlaneParts {
  store: Store;
  keyring: Keyring;
  clock: Clock;
  logger: Logger;
  newId: () => string;
  /** Hosts run commands of apps (x-berth.host_hooks). */
  hostHooks?: boolean;
  /** In [0, 1). */
  random: () => number;
}

/** In the order in which one change usually passes through them: then one round is enough. */
const loops: Loop[] = [allocate, orchestrate, scheduleLoop, rollout, placeLoop, gate, outcome, collect];

/** The part of a server that decides: state, loops, and the hosts' way in. Runs until aborted; whatever happens to it, what it wants is in the store. */
export class ControlPlane {
  readonly mirror: Mirror;
  readonly files: StoredFiles;
  readonly dispatcher: Dispatcher;
  readonly parts: ControlPlaneParts;

  constructor(parts: ControlPlaneParts) {
    this.parts = parts;
    this.mirror = new Mirror(parts.store);
    this.files = new StoredFiles(parts);
    this.dispatcher = new Dispatcher({ ...parts, mirror: this.mirror, files: this.files });
  }

  /** Until aborted; `onReady` when the state is loaded and requests can be served. Throws when the store fails for good. */
  async run({ signal, onReady = () => {} }: { signal: AbortSignal; onReady?: () => void }): Promise<void> {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    let ready = () => {};
    const loaded = new Promise<void>(resolve => {
      ready = resolve;
    });
    const mirroring = this.mirror.run(either, ready).finally(() => stop.abort());
    const running = loaded.then(async () => {
      if (either.aborted) return;
      onReady();
      await new Runner({ ...this.parts, mirror: this.mirror }, loops).run(either);
    });
    try {
      await Promise.all([mirroring, running]);
    } finally {
      stop.abort();
      ready();
      await Promise.allSettled([mirroring, running]);
    }
  }
}
