import type { LineReader, LogicalLine } from "./lines.ts";
import { positionAt } from "./lines.ts";
import { expandWord } from "./shell-words.ts";
import { dockerfileError, type SourceText } from "./source.ts";
import { splitQuoted } from "./split.ts";

export interface Heredoc {
  name: string;
  /** False with a quoted name: the body is taken as it is. */
  expand: boolean;
  /** `<<-`: leading tabs go. */
  chomp: boolean;
  /** As in the file (tabs too), each line with its newline. */
  body: string;
  /** Line of the body's first character, 1-based. */
  line: number;
}

const opening = /^(\d*)<<(-?)([^<]+)$/;

/** Whether a word opens a heredoc: `<<EOF`, `3<<-"EOF"`. */
export function heredocWord(word: string, escapeChar: "\\" | "`"): Omit<Heredoc, "body" | "line"> | undefined {
  const match = opening.exec(word);
  if (!match) return undefined;
  const raw = match[3]!;
  let name: string;
  try {
    name = expandWord(raw, () => undefined, { escape: escapeChar, keepUnset: true }).text;
  } catch {
    return undefined;
  }
  if (name === "" || /\s/.test(raw)) return undefined;
  return { name, expand: raw === name, chomp: match[2] === "-" };
}

/** Body as the program sees it. */
export function heredocText(heredoc: Heredoc): string {
  return heredoc.chomp ? heredoc.body.replace(/^\t+/gm, "") : heredoc.body;
}

/** Reads the bodies of all heredocs that `line` opens, in order, off the reader. */
export function readHeredocs(
  source: SourceText,
  line: LogicalLine,
  reader: LineReader,
  escapeChar: "\\" | "`",
): Heredoc[] {
  if (!line.text.includes("<<")) return [];
  const found: Heredoc[] = [];
  for (const word of splitQuoted(line.text, escapeChar)) {
    const opened = heredocWord(word.text, escapeChar);
    if (!opened) continue;
    const first = reader.nextLine;
    const body: string[] = [];
    for (;;) {
      const raw = reader.nextRaw();
      if (raw === undefined) {
        throw dockerfileError(source, positionAt(line, word.offset), `the heredoc is never closed`, {
          hint: `end it with a line that is just ${opened.name}`,
        });
      }
      if ((opened.chomp ? raw.replace(/^\t+/, "") : raw) === opened.name) break;
      body.push(raw, "\n");
    }
    found.push({ ...opened, body: body.join(""), line: first });
  }
  if (found.length > 0) line.endLine = reader.nextLine - 1;
  return found;
}
