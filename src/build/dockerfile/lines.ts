import type { Position, SourceText } from "./source.ts";

/** Several source lines joined into one by continuation, with the way back to where each character stood. */
export interface LogicalLine {
  text: string;
  /** 1-based, of the first and last source line; the last grows when a heredoc follows. */
  line: number;
  endLine: number;
  segments: Segment[];
}

interface Segment {
  /** In `text`. */
  offset: number;
  line: number;
  column: number;
}

export function positionAt(line: LogicalLine, offset: number): Position {
  let found = line.segments[0] ?? { offset: 0, line: line.line, column: 1 };
  for (const segment of line.segments) {
    if (segment.offset > offset) break;
    found = segment;
  }
  return { line: found.line, column: found.column + Math.max(0, offset - found.offset) };
}

/** Text up to the escape that ends the line, or undefined where the line is not continued. An escaped escape does not continue. */
function continued(text: string, escapeChar: string): string | undefined {
  const trimmed = text.replace(/[ \t]+$/, "");
  if (!trimmed.endsWith(escapeChar)) return undefined;
  return trimmed.at(-2) === escapeChar ? undefined : trimmed.slice(0, -1);
}

/** Hands out logical lines one after another, and raw lines to whoever reads a heredoc's body. */
export class LineReader {
  readonly #source: SourceText;
  readonly #escape: string;
  #next = 0;

  constructor(source: SourceText, escapeChar: string) {
    this.#source = source;
    this.#escape = escapeChar;
  }

  /** 1-based number of the line that comes next. */
  get nextLine(): number {
    return this.#next + 1;
  }

  nextRaw(): string | undefined {
    return this.#source.lines[this.#next++];
  }

  /** Skips blank and comment lines, also between continued ones (as Docker does, with a warning that we leave to `check`). */
  nextLogical(): LogicalLine | undefined {
    const parts: string[] = [];
    const segments: Segment[] = [];
    let offset = 0;
    let first = 0;
    let last = 0;
    for (let raw = this.nextRaw(); raw !== undefined; raw = this.nextRaw()) {
      const lineNumber = this.#next;
      const body = raw.trimStart();
      if (body === "" || body.startsWith("#")) continue;
      if (first === 0) first = lineNumber;
      last = lineNumber;
      const kept = parts.length === 0 ? body : raw;
      const column = raw.length - kept.length + 1;
      const joined = continued(kept, this.#escape);
      const text = joined ?? kept;
      segments.push({ offset, line: lineNumber, column });
      parts.push(text);
      offset += text.length;
      if (joined === undefined) break;
    }
    if (first === 0) return undefined;
    return { text: parts.join("").trimEnd(), line: first, endLine: last, segments };
  }
}
