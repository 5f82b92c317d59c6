export interface OutputChunk {
  stream: "stdout" | "stderr";
  data: Buffer;
}

/**
 * Output on its way to one reader. It takes whatever comes, at once: a reader who stalls must not stop the container. Beyond the bound the oldest is dropped, and the
 * reader is told, in the place where it is missing.
 */
export class OutputQueue implements AsyncIterable<OutputChunk> {
  readonly #limit_bytes: number;
  #chunks: OutputChunk[] = [];
  #size_bytes = 0;
  #dropped_bytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(limit_bytes: number) {
    this.#limit_bytes = limit_bytes;
  }

  push(chunk: OutputChunk): void {
    if (this.#ended) return;
    this.#chunks.push(chunk);
    this.#size_bytes += chunk.data.length;
    if (this.#size_bytes > this.#limit_bytes) this.#drop();
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk> {
    while (true) {
      if (this.#dropped_bytes > 0) yield this.#notice();
      // All at once: taking one after the other from the front of an array is slow for a long one.
      const chunks = this.#chunks;
      this.#chunks = [];
      this.#size_bytes = 0;
      yield* chunks;
      if (this.#chunks.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>(resolve => (this.#wake = resolve));
      this.#wake = undefined;
    }
  }

  /** Down to half, so that it is not done for each packet again. */
  #drop(): void {
    let count = 0;
    while (this.#size_bytes > this.#limit_bytes / 2 && count < this.#chunks.length - 1) {
      const { length } = this.#chunks[count++]!.data;
      this.#size_bytes -= length;
      this.#dropped_bytes += length;
    }
    this.#chunks.splice(0, count);
  }

  #notice(): OutputChunk {
    const text = `\n[berth: the reader was too slow, ${this.#dropped_bytes} bytes of output are missing here]\n`;
    this.#dropped_bytes = 0;
    return { stream: "stderr", data: Buffer.from(text) };
  }
}
