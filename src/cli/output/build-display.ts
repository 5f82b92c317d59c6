import type { BuildEvent, BuildVertex } from "../../ports/build.ts";
import type { CliContext } from "../context.ts";

interface Seen {
  number: number;
  vertex: BuildVertex;
  started_ms: number;
  ended_ms?: number;
  state: "running" | "cached" | "done" | "error";
  error?: string;
  /** The last lines of its output; the last one may be unfinished. */
  tail: string[];
  transfer?: string;
}

const tailLimit = 40;
const shownTail = 5;

/** How a build is shown: redrawn in place on a terminal, numbered lines elsewhere. */
export class BuildDisplay implements Disposable {
  readonly #context: Pick<CliContext, "stderr" | "clock">;
  readonly #live: boolean;
  readonly #seen = new Map<string, Seen>();
  #drawnLines = 0;
  #cancelTick: () => void = () => {};

  constructor(context: Pick<CliContext, "stderr" | "clock">, mode: "auto" | "plain" | "tty") {
    this.#context = context;
    this.#live = mode === "tty" || (mode === "auto" && context.stderr.isTTY === true);
    if (this.#live) this.#tick();
  }

  readonly show = (event: BuildEvent): void => {
    if (event.kind === "warning") {
      this.#line(`WARNING: ${event.line === undefined ? "" : `line ${event.line}: `}${event.message}`);
      return;
    }
    const seen = event.kind === "state" ? this.#change(event) : this.#seen.get(event.vertexId);
    if (seen === undefined) return;
    if (event.kind === "log") this.#log(seen, event.data.toString("utf8"), event.time_ms);
    else if (event.kind === "transfer") {
      seen.transfer = event.total
        ? `${event.id} ${event.status} ${Math.round(((event.current ?? 0) / event.total) * 100)}%`
        : `${event.id} ${event.status}`;
    } else if (!this.#live) this.#plainState(seen);
  };

  /** Ends the drawing; of a failed step the tail of its output stays. */
  [Symbol.dispose](): void {
    this.#cancelTick();
    if (this.#live) this.#draw(true);
    for (const seen of this.#seen.values()) {
      if (seen.state === "error" && this.#live)
        this.#context.stderr.write(
          `------\n > ${seen.vertex.name}:\n${seen.tail.map(line => `${line}\n`).join("")}------\n`,
        );
    }
  }

  #change(event: Extract<BuildEvent, { kind: "state" }>): Seen {
    const known = this.#seen.get(event.vertex.id);
    const seen = known ?? {
      number: this.#seen.size + 1,
      vertex: event.vertex,
      started_ms: event.time_ms,
      state: "running",
      tail: [],
    };
    this.#seen.set(event.vertex.id, seen);
    seen.state = event.state === "started" ? "running" : event.state;
    if (event.state !== "started") seen.ended_ms = event.time_ms;
    seen.error = event.error;
    return seen;
  }

  #log(seen: Seen, text: string, time_ms: number): void {
    const [first = "", ...rest] = text.split("\n");
    const open = seen.tail.pop() ?? "";
    seen.tail.push(open + first, ...rest);
    const complete = rest.length > 0 ? [open + first, ...rest.slice(0, -1)] : [];
    if (seen.tail.length > tailLimit) seen.tail.splice(0, seen.tail.length - tailLimit);
    if (this.#live) return;
    for (const line of complete)
      this.#line(`#${seen.number} ${((time_ms - seen.started_ms) / 1000).toFixed(3)} ${line}`);
  }

  #plainState(seen: Seen): void {
    const spent = (((seen.ended_ms ?? seen.started_ms) - seen.started_ms) / 1000).toFixed(1);
    const unfinished = seen.tail.at(-1);
    if (seen.state !== "running" && unfinished) this.#line(`#${seen.number} ${unfinished}`);
    if (seen.state === "running") this.#line(`#${seen.number} ${seen.vertex.name}`);
    else if (seen.state === "cached") this.#line(`#${seen.number} CACHED ${seen.vertex.name}`);
    else if (seen.state === "done") this.#line(`#${seen.number} DONE ${spent}s`);
    else this.#line(`#${seen.number} ERROR: ${seen.error ?? "failed"}`);
  }

  #line(text: string): void {
    if (!this.#live) this.#context.stderr.write(`${text}\n`);
  }

  #tick(): void {
    this.#draw(false);
    this.#cancelTick = this.#context.clock.after(100, () => this.#tick());
  }

  #draw(last: boolean): void {
    const columns = this.#context.stderr.columns ?? 80;
    const rows = Math.max(8, ((this.#context.stderr as { rows?: number }).rows ?? 24) - 2);
    const all = [...this.#seen.values()];
    const finished = all.filter(seen => seen.ended_ms !== undefined).length;
    const body = all.flatMap(seen => this.#lines(seen, columns, last));
    const lines = [`[+] Building ${finished}/${all.length}`, ...(last ? body : body.slice(-rows))];
    const up = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A` : "";
    this.#context.stderr.write(`${up}${lines.map(line => `\x1b[2K${line}\n`).join("")}\x1b[0J`);
    this.#drawnLines = lines.length;
  }

  #lines(seen: Seen, columns: number, last: boolean): string[] {
    const spent = `${(((seen.ended_ms ?? this.#context.clock.now_ms()) - seen.started_ms) / 1000).toFixed(1)}s`;
    const mark = { running: "=>", cached: "=> CACHED", done: "=>", error: "=> ERROR" }[seen.state];
    const room = columns - spent.length - mark.length - 3;
    const name = seen.vertex.name.replace(/\s+/g, " ");
    const title = ` ${mark} ${(name.length > room ? `${name.slice(0, room - 1)}…` : name).padEnd(room)} ${spent}`;
    if (last || seen.state !== "running") return [title];
    const tail =
      seen.transfer && seen.tail.length === 0
        ? [seen.transfer]
        : seen.tail.filter(line => line.trim() !== "").slice(-shownTail);
    return [title, ...tail.map(line => ` => => ${printable(line).slice(0, columns - 8)}`)];
  }
}

/** Output of build steps must not move the cursor of this display. */
function printable(line: string): string {
  return line.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replace(/[\x00-\x08\x0b-\x1f]/g, "");
}
