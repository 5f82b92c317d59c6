import type { Progress, ProgressSink } from "../../ports/images.ts";
import type { CliContext } from "../context.ts";
import { humanSize } from "./units.ts";

/** Lines of a pull or push: redrawn in place on a terminal, one line a change elsewhere (and none for mere byte counts). */
export class TransferDisplay {
  readonly #context: Pick<CliContext, "stderr" | "clock">;
  readonly #lines = new Map<string, string>();
  #drawn = 0;
  #drawn_ms = 0;

  constructor(context: Pick<CliContext, "stderr" | "clock">) {
    this.#context = context;
  }

  readonly show = (progress: Progress): void => {
    const key = progress.id;
    const before = this.#lines.get(key);
    const line =
      key === "" ? progress.status : `${key}: ${progress.status}${bar(progress, this.#context.stderr.columns ?? 80)}`;
    if (this.#context.stderr.isTTY) {
      this.#lines.set(key, line);
      this.#draw(progress);
    } else if (progress.status !== before) {
      this.#lines.set(key, progress.status);
      this.#context.stderr.write(`${key === "" ? "" : `${key}: `}${progress.status}\n`);
    }
  };

  /** Leaves the last state on the screen. */
  end(): void {
    if (this.#context.stderr.isTTY && this.#lines.size > 0) this.#paint();
  }

  #draw(progress: Progress): void {
    const now_ms = this.#context.clock.now_ms();
    // 20 frames a second are enough; a change of status is always shown.
    if (progress.current !== undefined && now_ms - this.#drawn_ms < 50) return;
    this.#drawn_ms = now_ms;
    this.#paint();
  }

  #paint(): void {
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : "";
    const text = [...this.#lines.values()].map(line => `\x1b[2K${line}\n`).join("");
    this.#context.stderr.write(up + text);
    this.#drawn = this.#lines.size;
  }
}

function bar(progress: Progress, columns: number): string {
  const { current, total } = progress;
  if (current === undefined) return "";
  if (!total) return ` ${humanSize(current)}`;
  const room = Math.max(10, Math.min(50, columns - 50));
  const filled = Math.min(room, Math.round((current / total) * room));
  return ` [${"=".repeat(filled)}${filled < room ? ">" : ""}${" ".repeat(Math.max(0, room - filled - 1))}] ${humanSize(current)}/${humanSize(total)}`;
}

/** Runs a transfer with its progress shown, unless quiet. */
export async function withDisplay<T>(
  context: CliContext,
  quiet: boolean | undefined,
  work: (onProgress: ProgressSink | undefined) => Promise<T>,
): Promise<T> {
  const display = new TransferDisplay(context);
  try {
    return await work(quiet ? undefined : display.show);
  } finally {
    display.end();
  }
}
