import { Bail } from "./quick-flow.ts";

const header = /([|>])([+-]?) *(?: #[^\n]*)?(?:\n|$)/y;

/**
 * A literal or folded scalar whose indicator stands at `at`, under a key at column `parent`. `end` is the start of the line after it.
 * Bails where its indentation is given as a number, or changes within a folded one.
 */
export function blockScalar(text: string, at: number, parent: number): { value: string; end: number } {
  header.lastIndex = at;
  const match = header.exec(text);
  if (!match) throw Bail;
  const [, style, chomp] = match;
  const { lines, end } = readLines(text, header.lastIndex, parent);
  let trailing = 0;
  while (lines.at(-1) === "") trailing += Number(lines.pop() === "");
  if (lines.some(line => line.trim() === "" && line !== "")) throw Bail;
  if (lines.length === 0) {
    // Only blank lines: what is kept of them is not worth knowing here.
    if (chomp === "+" || trailing > 0) throw Bail;
    return { value: "", end };
  }
  const body = style === "|" ? lines.join("\n") : fold(lines);
  if (chomp === "-") return { value: body, end };
  return { value: chomp === "+" ? body + "\n".repeat(trailing + 1) : `${body}\n`, end };
}

function readLines(text: string, from: number, parent: number): { lines: string[]; end: number } {
  const lines: string[] = [];
  let indent = -1;
  let line = from;
  while (line < text.length) {
    const newline = text.indexOf("\n", line);
    const lineEnd = newline < 0 ? text.length : newline;
    let first = line;
    while (first < lineEnd && text[first] === " ") first++;
    if (first === lineEnd) {
      if (indent < 0 && first > line) throw Bail;
      lines.push(text.slice(Math.min(line + Math.max(indent, 0), lineEnd), lineEnd));
    } else {
      if (indent < 0) indent = first - line;
      if (first - line < indent || indent <= parent) break;
      lines.push(text.slice(line + indent, lineEnd));
    }
    // A last line without a line end is rare, and not chomped like others.
    if (newline < 0) throw Bail;
    line = newline < 0 ? text.length : newline + 1;
  }
  return { lines, end: line };
}

function fold(lines: string[]): string {
  if (lines.some(line => line.startsWith(" ")) || lines[0] === "") throw Bail;
  let folded = "";
  let blank = 0;
  for (const [index, line] of lines.entries()) {
    if (line === "") blank++;
    else {
      if (index > 0) folded += blank > 0 ? "\n".repeat(blank) : " ";
      folded += line;
      blank = 0;
    }
  }
  return folded;
}
