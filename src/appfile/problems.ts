import { BerthError } from "../base/errors.ts";
import { limits } from "./limits.ts";
import { type Mark, type Path, type SourceText, showPath } from "./node.ts";

/** One thing that is wrong, or odd, at one place. Lines and columns count from 1. */
export interface Problem {
  file: string;
  line: number;
  column: number;
  /** services.web.ports[0]; "" for the file as a whole. */
  path: string;
  message: string;
  hint?: string;
}

/** Collects what is wrong with a document, so that one run tells all of it. */
export class Problems {
  readonly list: Problem[] = [];
  readonly warnings: Problem[] = [];
  #seen = new Set<string>();

  add(at: Mark, path: Path, message: string, hint?: string): void {
    if (this.list.length >= limits.problems) this.throwIfAny();
    this.#addTo(this.list, at, path, message, hint);
  }

  warn(at: Mark, path: Path, message: string, hint?: string): void {
    if (this.warnings.length < limits.problems) this.#addTo(this.warnings, at, path, message, hint);
  }

  /** Throws `invalid` with every problem so far: the text in the message, the parts in `details.problems`. */
  throwIfAny(): void {
    if (this.list.length > 0) throw problemsError(this.list);
  }

  #addTo(list: Problem[], at: Mark, path: Path, message: string, hint?: string): void {
    const problem: Problem = { file: at.source.path, ...lineAndColumn(at), path: showPath(path), message, hint };
    const text = showProblem(problem);
    // A shared alias or an extended service is decoded more than once; its problem is told once.
    if (this.#seen.has(text)) return;
    this.#seen.add(text);
    list.push(problem);
  }
}

export function showProblem({ file, line, column, path, message, hint }: Problem): string {
  return `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}${hint ? ` (${hint})` : ""}`;
}

export function problemsError(problems: readonly Problem[]): BerthError {
  const details = { problems: problems.map(problem => ({ ...problem })) };
  const [first] = problems;
  if (problems.length === 1 && first) {
    return new BerthError("invalid", showProblem({ ...first, hint: undefined }), { hint: first.hint, details });
  }
  const more = problems.length >= limits.problems ? "at least " : "";
  const lines = problems.map(problem => `  ${showProblem(problem)}`).join("\n");
  return new BerthError("invalid", `the app file has ${more}${problems.length} errors:\n${lines}`, { details });
}

/** Throws `invalid` at once, for what makes reading on pointless. */
export function fail(at: Mark, path: Path, message: string, hint?: string): never {
  throw problemsError([{ file: at.source.path, ...lineAndColumn(at), path: showPath(path), message, hint }]);
}

const lineStarts = new WeakMap<SourceText, number[]>();

export function lineAndColumn({ source, offset }: Mark): { line: number; column: number } {
  let starts = lineStarts.get(source);
  if (!starts) {
    starts = [0];
    for (let at = source.text.indexOf("\n"); at >= 0; at = source.text.indexOf("\n", at + 1)) starts.push(at + 1);
    lineStarts.set(source, starts);
  }
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}
