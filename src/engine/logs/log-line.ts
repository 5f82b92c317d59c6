import type { LogRecord } from "../../ports/engine.ts";

const newline = 10;
const space = 32;
const newlineByte = Buffer.from("\n");
/** Longest line accepted: the monitor writes at most 8 KiB of output in one. */
const longestLine_bytes = 64 * 1024;

/** `TIME stdout|stderr F|P text`: the Kubernetes log format (CRI), as conmon writes it. P marks output that has no newline (yet). */
export function parseLogLine(line: Buffer): LogRecord | undefined {
  const first = line.indexOf(space);
  const second = line.indexOf(space, first + 1);
  const third = line.indexOf(space, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = line.toString("latin1", first + 1, second);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const text = line.subarray(third + 1);
  const partial = line.toString("latin1", second + 1, third) === "P";
  return {
    stream,
    time: line.toString("latin1", 0, first).replace(/[+-]00:00$/, "Z"),
    data: partial ? text : Buffer.concat([text, newlineByte]),
  };
}

/** Cuts a stream of bytes into log lines, whatever the chunks. */
export class LogLineReader {
  #rest: Buffer = Buffer.alloc(0);

  /** `boundary`: another file begins, so what is left of the last was cut off when its writer died. */
  *take(chunk: Buffer, boundary = false): Generator<LogRecord> {
    let data = boundary || this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = data.indexOf(newline); end >= 0; end = data.indexOf(newline)) {
      const record = parseLogLine(data.subarray(0, end));
      if (record !== undefined) yield record;
      data = data.subarray(end + 1);
    }
    this.#rest = data.length > longestLine_bytes ? Buffer.alloc(0) : data;
  }
}
