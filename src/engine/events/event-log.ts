import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import type { EngineEvent, EventType } from "../../model/event.ts";
import type { Filters } from "../../ports/engine.ts";
import type { Locks } from "../../ports/locks.ts";
import { DirectoryWatch } from "../state/directory-watch.ts";
import { FollowedFile } from "../state/followed-file.ts";
import { matchesEvent } from "./event-filter.ts";

/** The log is at most twice this: the present file and the one before. */
const part_bytes = 1024 ** 2;

export interface EventQuery {
  since_ms?: number;
  until_ms?: number;
  filters?: Filters;
  signal?: AbortSignal;
}

/**
 * What happened on this host: lines of JSON in a file that every process of the engine appends to, one write a line, and that readers follow.
 */
export class EventLog {
  readonly #directory: string;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #locks: Locks;

  constructor(directory: string, clock: Clock, locks: Locks) {
    this.#directory = directory;
    this.#path = join(directory, "log");
    this.#clock = clock;
    this.#locks = locks;
  }

  append(type: EventType, action: string, id: string, attributes: Record<string, string>): void {
    const event: EngineEvent = { type, action, id, attributes, time_ms: this.#clock.now_ms() };
    const line = `${JSON.stringify(event)}\n`;
    try {
      appendFileSync(this.#path, line, { mode: 0o600 });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      appendFileSync(this.#path, line, { mode: 0o600 });
    }
    void this.#rotate();
  }

  /** Past events from `since_ms`, then those to come until `until_ms` or abort. */
  async *read({ since_ms, until_ms, filters, signal }: EventQuery): AsyncGenerator<EngineEvent> {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    using watch = new DirectoryWatch(this.#clock, [this.#directory]);
    using file = new FollowedFile(this.#path);
    const past = since_ms !== undefined || until_ms !== undefined;
    if (!past) file.startAt(0, statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0);
    else if (!file.startAt(1, 0)) file.startAt(0, 0);
    watch.onChange = () => file.notice();
    const last_ms = until_ms ?? Number.POSITIVE_INFINITY;
    for (let rest = ""; ; ) {
      const now_ms = this.#clock.now_ms();
      file.notice();
      if (file.lost > 0) yield this.#lostEvents(file);
      for (let chunk = file.read(); chunk !== undefined; chunk = file.read()) {
        const lines = ((chunk.boundary ? "" : rest) + chunk.data.toString("utf8")).split("\n");
        rest = lines.pop() ?? "";
        for (const event of lines.map(parseEvent)) {
          if (event === undefined || event.time_ms < (since_ms ?? 0)) continue;
          if (event.time_ms > last_ms) return;
          if (matchesEvent(event, filters)) yield event;
        }
      }
      if (now_ms >= last_ms) return;
      await watch.next({ signal, timeout_ms: last_ms - now_ms });
    }
  }

  #lostEvents(file: FollowedFile): EngineEvent {
    file.lost = 0;
    return { type: "daemon", action: "events-lost", id: "", attributes: {}, time_ms: this.#clock.now_ms() };
  }

  async #rotate(): Promise<void> {
    const size = () => statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size() < part_bytes) return;
    const lock = this.#locks.tryAcquire(join(this.#directory, "rotate.lock"));
    if (lock === undefined) return;
    if (size() >= part_bytes) renameSync(this.#path, `${this.#path}.1`);
    await lock[Symbol.asyncDispose]();
  }
}

function parseEvent(line: string): EngineEvent | undefined {
  try {
    return JSON.parse(line) as EngineEvent;
  } catch {
    return undefined;
  }
}
