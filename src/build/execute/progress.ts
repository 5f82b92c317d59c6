import type { BuildEvent, BuildVertex, VertexState } from "../../ports/build.ts";
import type { Progress as Transfer } from "../../ports/images.ts";

const tail_lines = 20;
const tailLine_chars = 400;

/** Turns what happens in a build into events, and keeps the last lines of each step for the error that may follow. */
export class BuildProgress {
  readonly #emit: (event: BuildEvent) => void;
  readonly #now_ms: () => number;
  /** What is thrown because of it is no failure of the step itself. */
  readonly #signal: AbortSignal | undefined;
  steps = 0;
  cachedSteps = 0;
  readonly warnings: string[] = [];

  constructor(emit: ((event: BuildEvent) => void) | undefined, now_ms: () => number, signal?: AbortSignal) {
    this.#emit = emit ?? (() => {});
    this.#now_ms = now_ms;
    this.#signal = signal;
  }

  state(vertex: BuildVertex, state: VertexState, more: { error?: string; layerId?: string } = {}): void {
    this.#emit({ kind: "state", vertex, state, time_ms: this.#now_ms(), ...more });
  }

  warn(message: string, line?: number): void {
    this.warnings.push(line === undefined ? message : `line ${line}: ${message}`);
    this.#emit({ kind: "warning", message, line, time_ms: this.#now_ms() });
  }

  transfer(vertex: BuildVertex): (progress: Transfer) => void {
    return ({ id, status, current, total }) =>
      this.#emit({ kind: "transfer", vertexId: vertex.id, id, status, current, total, time_ms: this.#now_ms() });
  }

  /** Runs `work` as a vertex; it may say that its result came from the cache. */
  async vertex<T>(
    vertex: BuildVertex,
    work: () => Promise<{ value: T; cached?: boolean; layerId?: string }>,
  ): Promise<T> {
    this.state(vertex, "started");
    try {
      const { value, cached, layerId } = await work();
      this.state(vertex, cached ? "cached" : "done", { layerId });
      return value;
    } catch (thrown) {
      const stopped = this.#signal?.aborted && this.#signal.reason === thrown;
      const words = thrown instanceof Error ? thrown.message : String(thrown);
      this.state(vertex, "error", { error: stopped ? "stopped" : words });
      throw thrown;
    }
  }

  log(vertex: BuildVertex): StepLog {
    return new StepLog((stream, data) =>
      this.#emit({ kind: "log", vertexId: vertex.id, stream, data, time_ms: this.#now_ms() }),
    );
  }
}

/** Output of one step on its way out. */
export class StepLog {
  readonly #send: (stream: "stdout" | "stderr", data: Buffer) => void;
  #lines: string[] = [""];

  constructor(send: (stream: "stdout" | "stderr", data: Buffer) => void) {
    this.#send = send;
  }

  readonly write = (stream: "stdout" | "stderr", data: Buffer): void => {
    this.#send(stream, data);
    const [first = "", ...rest] = data.toString("utf8").split("\n");
    this.#lines[this.#lines.length - 1] = `${this.#lines.at(-1)}${first}`.slice(-tailLine_chars);
    this.#lines.push(...rest.map(line => line.slice(-tailLine_chars)));
    this.#lines = this.#lines.slice(-tail_lines - 1);
  };

  /** The last lines, for people. */
  tail(): string[] {
    return this.#lines.filter(line => line.trim() !== "").slice(-tail_lines);
  }
}
