import type { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";

/** conmon's answers are one short line each. */
const lineLimit_bytes = 64 * 1024;

/** One of conmon's reports: a pid or exit code in `data`, or -1 with the runtime's words. */
export interface SyncReport {
  data: number;
  message?: string;
}

/** Reads conmon's reports from its sync pipe, one JSON line each, in order. */
export class SyncPipe {
  readonly #stream: Readable;
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  readonly #lines: string[] = [];
  #rest = "";
  #ended = false;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => this.#take(text));
    // ECONNRESET and the like mean the same as the end: the monitor is gone.
    for (const event of ["end", "error", "close"]) stream.on(event, () => this.#end());
  }

  /** The next report; undefined when the monitor closed the pipe without one. */
  async next(signal?: AbortSignal): Promise<SyncReport | undefined> {
    const line = this.#lines.shift() ?? (this.#ended ? undefined : await this.#wait(signal));
    if (line === undefined) return undefined;
    try {
      return JSON.parse(line) as SyncReport;
    } catch (thrown) {
      throw new BerthError("internal", `the monitor answered '${line}', which is not JSON`, { cause: thrown });
    }
  }

  close(): void {
    this.#stream.destroy();
  }

  #wait(signal?: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        const index = this.#waiting.indexOf(settle);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal?.reason);
      };
      const settle = (line: string | undefined) => {
        signal?.removeEventListener("abort", onAbort);
        resolve(line);
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(settle);
    });
  }

  #take(text: string): void {
    this.#rest += text;
    if (this.#rest.length > lineLimit_bytes) this.#rest = this.#rest.slice(0, lineLimit_bytes);
    for (let end = this.#rest.indexOf("\n"); end >= 0; end = this.#rest.indexOf("\n")) {
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      const waiter = this.#waiting.shift();
      if (waiter) waiter(line);
      else this.#lines.push(line);
    }
  }

  #end(): void {
    this.#ended = true;
    for (const waiter of this.#waiting.splice(0)) waiter(undefined);
  }
}
