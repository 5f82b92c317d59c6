import { BerthError } from "../../base/errors.ts";

/** A Dockerfile as it was given: every message points back into it. */
export interface SourceText {
  /** As shown to people, e.g. "Dockerfile" or "docker/app.Dockerfile". */
  name: string;
  lines: string[];
}

/** Both 1-based; columns count UTF-16 units, as editors do. */
export interface Position {
  line: number;
  column: number;
}

export const limits = {
  file_bytes: 4 << 20,
  instructions: 10_000,
  stages: 500,
  /** Of one word after expansion: `ENV a=$a$a` doubles with every line. */
  word_chars: 1 << 20,
} as const;

/** Keeps bytes as they are, but for the byte order mark; `\r\n` counts as `\n`. */
export function sourceText(name: string, text: string): SourceText {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.file_bytes) {
    throw new BerthError(
      "invalid",
      `reading ${name}: it has ${bytes} bytes, more than the ${limits.file_bytes} allowed`,
      {
        hint: "keep data in files of the context and COPY them",
      },
    );
  }
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  return { name, lines: lines.map(line => (line.endsWith("\r") ? line.slice(0, -1) : line)) };
}

const shownWidth = 160;

/** The line with a caret under the column, tabs kept so that the two align. */
export function excerpt(source: SourceText, at: Position): string {
  const text = source.lines[at.line - 1] ?? "";
  const from = at.column > shownWidth ? at.column - shownWidth / 2 : 0;
  const shown = text.slice(from, from + shownWidth);
  const gutter = `${String(at.line).padStart(4)} | `;
  const pad = shown.slice(0, Math.max(0, at.column - 1 - from)).replace(/[^\t]/g, " ");
  return `${gutter}${shown}\n${" ".repeat(gutter.length - 2)}| ${pad}^`;
}

/** The one shape of every complaint about a Dockerfile: `file:line:column: what`, then the line itself. */
export function dockerfileError(
  source: SourceText,
  at: Position,
  message: string,
  options: { hint?: string; cause?: unknown } = {},
): BerthError {
  return new BerthError("invalid", `${source.name}:${at.line}:${at.column}: ${message}\n${excerpt(source, at)}`, {
    ...options,
    details: { file: source.name, line: at.line, column: at.column, source: source.lines[at.line - 1] ?? "" },
  });
}
