import type { Session } from "../../ports/engine.ts";
import type { RunningExec } from "../../ports/runtime.ts";

/** A client's hold on a running exec. */
export class ExecSession implements Session {
  readonly tty: boolean;
  readonly output: Session["output"];
  readonly #exec: RunningExec;

  /** `ended` resolves when the exit is written down, so that who has read all output finds the exit code. */
  constructor(exec: RunningExec, ended: Promise<number>, tty: boolean) {
    this.tty = tty;
    this.#exec = exec;
    ended.catch(() => undefined);
    this.output = outputThenEnd(exec, ended);
  }

  async write(data: Buffer): Promise<void> {
    const { stdin } = this.#exec;
    if (stdin === undefined || !stdin.writable || stdin.write(data)) return;
    await new Promise<void>(resolve => {
      const done = () => {
        stdin.off("drain", done).off("close", done).off("error", done);
        resolve();
      };
      stdin.on("drain", done).on("close", done).on("error", done);
    });
  }

  endInput(): void {
    this.#exec.stdin?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exec[Symbol.asyncDispose]();
  }
}

async function* outputThenEnd(
  exec: RunningExec,
  ended: Promise<number>,
): AsyncGenerator<{ stream: "stdout" | "stderr"; data: Buffer }> {
  yield* exec.output;
  await ended;
}
