import type { AppEvent, TaskView } from "../../ports/apps.ts";
import type { CliContext } from "../context.ts";
import { humanSize } from "../output/units.ts";

type Surroundings = Pick<CliContext, "stderr" | "clock">;

const marks: Record<string, string> = {
  running: "✔",
  complete: "✔",
  removed: "✔",
  present: "✔",
  failed: "✘",
  rejected: "✘",
};

const logMark = "  | ";

/** Output of programs must not move the cursor of this display. */
function printable(line: string): string {
  return line.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replace(/[\x00-\x08\x0b-\x1f]/g, "");
}

/** Progress of a change of an app: a line for each task, image and resource; redrawn in place on a terminal, a line for each change elsewhere. */
export class AppDisplay implements Disposable {
  readonly #context: Surroundings;
  readonly #lines = new Map<string, string>();
  readonly #told = new Map<string, string>();
  /** The last two lines of output of each step of a build, the second unfinished. */
  readonly #tails = new Map<string, string[]>();
  #drawn = 0;
  #dirty = false;
  #cancel: () => void = () => {};

  constructor(context: Surroundings) {
    this.#context = context;
    if (context.stderr.isTTY) this.#tick();
  }

  show(event: AppEvent): void {
    if (event.type === "task") this.#set(event.name, describeTask(event));
    else if (event.type === "waiting") this.#set(event.name, `  ${event.name}  waiting: ${event.reason}`);
    else if (event.type === "image") {
      if (event.log !== undefined) {
        this.#buildLog(event.reference, event.id, event.log);
        return;
      }
      const amount = event.total ? ` ${humanSize(event.current ?? 0)} of ${humanSize(event.total)}` : "";
      this.#set(`image ${event.reference}`, `  image ${event.reference}  ${event.action}: ${event.status}`, amount);
    } else if (event.type === "resource") {
      const message = event.message ? `: ${event.message}` : "";
      this.#set(
        `${event.kind} ${event.name}`,
        `${marks[event.state] ?? " "} ${event.kind} ${event.name}  ${event.state}${message}`,
      );
    }
  }

  /** What a step writes is shown as it comes on a terminal, its last line only. What a failing one wrote, its error says. */
  #buildLog(reference: string, step: string, text: string): void {
    const key = `${reference} ${step}`;
    const before = this.#tails.get(key) ?? [""];
    const tail = [...before.slice(0, -1), ...(before.at(-1)! + text).split("\n")].slice(-2);
    this.#tails.set(key, tail);
    const last = tail.findLast(line => line.trim() !== "");
    const line = this.#lines.get(`image ${reference}`);
    if (!this.#context.stderr.isTTY || last === undefined || line === undefined) return;
    this.#lines.set(`image ${reference}`, `${line.split(logMark)[0]}${logMark}${printable(last)}`);
    this.#dirty = true;
  }

  [Symbol.dispose](): void {
    this.#cancel();
    this.#draw();
  }

  /** `volatile` is shown on a terminal only: byte counts would fill a log. */
  #set(key: string, line: string, volatile = ""): void {
    if (this.#context.stderr.isTTY) {
      this.#dirty ||= this.#lines.get(key) !== line + volatile;
      this.#lines.set(key, line + volatile);
    } else if (this.#told.get(key) !== line) {
      this.#told.set(key, line);
      this.#context.stderr.write(`${line}\n`);
    }
  }

  #tick(): void {
    this.#draw();
    this.#cancel = this.#context.clock.after(80, () => this.#tick());
  }

  #draw(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    const columns = this.#context.stderr.columns ?? 80;
    const lines = [...this.#lines.values()].map(line => line.replace(/\s*\n\s*/g, " ").slice(0, columns - 1));
    const rows = Math.max(5, ((this.#context.stderr as { rows?: number }).rows ?? 24) - 1);
    const shown = lines.slice(-rows);
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : "";
    this.#context.stderr.write(`${up}${shown.map(line => `\x1b[2K${line}\n`).join("")}`);
    this.#drawn = shown.length;
  }
}

export function describeTask(task: TaskView): string {
  const health = task.health && task.state === "running" ? ` (${task.health.status})` : "";
  const why = task.message && !["running", "complete"].includes(task.state) ? `: ${task.message}` : "";
  const isDone = task.state === "running" && (task.health === undefined || task.health.status === "healthy");
  const mark = task.state === "running" && !isDone ? " " : (marks[task.state] ?? " ");
  return `${mark} ${task.name}  ${task.state}${health}${why}`;
}
