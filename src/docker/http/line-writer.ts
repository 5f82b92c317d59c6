import { once } from "node:events";
import type { Writable } from "node:stream";

/** Writes and waits while the reader is behind. False when the reader has gone. */
export async function writeTo(target: Writable, data: string | Buffer, signal: AbortSignal): Promise<boolean> {
  if (target.destroyed || !target.writable) return false;
  if (target.write(data)) return true;
  try {
    await once(target, "drain", { signal });
    return true;
  } catch (thrown) {
    if (target.destroyed || signal.aborted) return false;
    throw thrown;
  }
}

/** Most progress is worth nothing a moment later: what a slow reader has not taken is left out above this. */
const backlog_bytes = 1024 * 1024;

/** One JSON value a line, sent as they come. */
export class LineWriter {
  readonly #target: Writable;
  readonly #begin: () => void;
  readonly #signal: AbortSignal;
  #begun = false;

  /** `begin` sends the headers; it is called at the first line. */
  constructor(target: Writable, begin: () => void, signal: AbortSignal) {
    this.#target = target;
    this.#begin = begin;
    this.#signal = signal;
  }

  get begun(): boolean {
    return this.#begun;
  }

  start(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#begin();
  }

  async write(value: unknown): Promise<boolean> {
    this.start();
    return await writeTo(this.#target, `${JSON.stringify(value)}\r\n`, this.#signal);
  }

  /** For callbacks that cannot wait: drops the line when the reader is far behind. */
  tell(value: unknown): void {
    this.start();
    if (this.#target.destroyed || this.#target.writableLength > backlog_bytes) return;
    this.#target.write(`${JSON.stringify(value)}\r\n`);
  }

  end(): void {
    this.start();
    this.#target.end();
  }
}
