import type { Clock } from "../base/clock.ts";
import { asBerthError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ResourceStatus } from "../model/records.ts";
import type { TaskStatus } from "../model/task.ts";
import type { HostLink } from "../wire/host-link.ts";

const retryDelay_ms = 1000;

/** Sends what the host observes: the newest of each thing, many in one report, again until it is taken. */
export class Reporter {
  readonly #link: HostLink;
  readonly #host: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  #tasks = new Map<string, TaskStatus>();
  #networks: Record<string, ResourceStatus> = {};
  #volumes: Record<string, ResourceStatus> = {};
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(parts: { link: HostLink; host: string; clock: Clock; logger: Logger; signal: AbortSignal }) {
    this.#link = parts.link;
    this.#host = parts.host;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#signal = parts.signal;
  }

  /** Resolves when the server has it, or something newer of the same task. Rejects when the agent ends first. */
  task(status: TaskStatus): Promise<void> {
    this.#tasks.set(status.id, status);
    return this.#flush();
  }

  network(name: string, status: ResourceStatus): Promise<void> {
    this.#networks[name] = status;
    return this.#flush();
  }

  volume(name: string, status: ResourceStatus): Promise<void> {
    this.#volumes[name] = status;
    return this.#flush();
  }

  /** One report is on its way at a time, so that none overtakes another; what comes meanwhile goes with the next. */
  #flush(): Promise<void> {
    if (this.#next) return this.#next;
    const next = this.#current.then(async () => {
      this.#next = undefined;
      const report = { tasks: [...this.#tasks.values()], networks: this.#networks, volumes: this.#volumes };
      this.#tasks = new Map();
      this.#networks = {};
      this.#volumes = {};
      await this.#send(report);
    });
    this.#next = next;
    this.#current = next.catch(() => undefined);
    return next;
  }

  async #send(report: Parameters<HostLink["report"]>[1]): Promise<void> {
    for (;;) {
      this.#signal.throwIfAborted();
      try {
        return await this.#link.report(this.#host, report, { signal: this.#signal });
      } catch (thrown) {
        if (this.#signal.aborted) throw thrown;
        const error = asBerthError(thrown);
        this.#logger.log("error", `reporting to the server: ${error.message}`, { hint: error.hint });
        await this.#clock.sleep(retryDelay_ms, { signal: this.#signal });
      }
    }
  }
}
