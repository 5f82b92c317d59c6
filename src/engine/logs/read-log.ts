import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../../base/clock.ts";
import type { LogOptions, LogRecord } from "../../ports/engine.ts";
import { DirectoryWatch } from "../state/directory-watch.ts";
import { FollowedFile } from "../state/followed-file.ts";
import { LogLineReader } from "./log-line.ts";
import { oldestAge, positionOfTail } from "./log-tail.ts";

export interface LogSource {
  clock: Clock;
  /** Present file; rotated ones are <path>.1 … */
  path: string;
  /** Opens a watch on what changes when the container's state does. */
  watchState: (watch: DirectoryWatch) => void;
  /** Whether no more output can come. */
  ended: () => boolean;
}

/** The records asked for, in order over rotated files; with `follow` also those to come, until the container has ended and all is read. */
export async function* readLog(source: LogSource, options: LogOptions = {}): AsyncGenerator<LogRecord> {
  const wanted = { stdout: options.stdout ?? true, stderr: options.stderr ?? true };
  using watch = new DirectoryWatch(source.clock, options.follow ? [dirname(source.path)] : []);
  if (options.follow) source.watchState(watch);
  using file = new FollowedFile(source.path);
  const from =
    options.tail === undefined
      ? { age: oldestAge(source.path), offset: 0 }
      : positionOfTail(source.path, options.tail, wanted);
  file.startAt(from.age, from.offset);
  for await (const record of follow(source, file, watch, options)) {
    if (!wanted[record.stream]) continue;
    if (options.since_ms !== undefined || options.until_ms !== undefined) {
      const time_ms = Date.parse(record.time);
      if (time_ms < (options.since_ms ?? 0)) continue;
      if (time_ms > (options.until_ms ?? Number.POSITIVE_INFINITY)) return;
    }
    yield record;
  }
}

/** Output written from `offset` of the present file on: what an attached client sees of one run. */
export async function* followLog(
  source: LogSource,
  offset: number,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<LogRecord> {
  using watch = new DirectoryWatch(source.clock, [dirname(source.path)]);
  source.watchState(watch);
  using file = new FollowedFile(source.path);
  file.startAt(0, offset);
  yield* follow(source, file, watch, { ...options, follow: true });
}

export function logSize_bytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

async function* follow(
  source: LogSource,
  file: FollowedFile,
  watch: DirectoryWatch,
  options: LogOptions,
): AsyncGenerator<LogRecord> {
  const lines = new LogLineReader();
  // Files that appear while a slow consumer holds us up are opened at once, before rotation can delete them.
  watch.onChange = () => file.notice();
  for (;;) {
    // Asked before reading: whatever was written before the end is then read after this.
    const ended = !options.follow || source.ended();
    file.notice();
    for (let chunk = file.read(); chunk !== undefined; chunk = file.read()) {
      yield* lines.take(chunk.data, chunk.boundary);
      options.signal?.throwIfAborted();
    }
    if (ended) return;
    const left_ms = (options.until_ms ?? Number.POSITIVE_INFINITY) - source.clock.now_ms();
    if (left_ms <= 0) return;
    await watch.next({ signal: options.signal, timeout_ms: left_ms });
  }
}
