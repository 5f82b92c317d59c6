/** A piece of an instruction's text with where it starts. */
export interface Word {
  text: string;
  offset: number;
}

const blank = /\s/;

/** Split at blanks and nothing else. */
export function splitBlanks(text: string, offset = 0): Word[] {
  return Array.from(text.matchAll(/\S+/g), match => ({ text: match[0], offset: offset + match.index }));
}

/**
 * Split at blanks outside quotes; quotes and escapes stay in the words (they are taken off by expansion). An unclosed quote runs to the end.
 */
export function splitQuoted(text: string, escapeChar: string, offset = 0): Word[] {
  const words: Word[] = [];
  let start = -1;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (start < 0) {
      if (blank.test(char)) continue;
      start = i;
    }
    if (char === escapeChar && quote !== "'") {
      i++;
    } else if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === '"' || char === "'") quote = char;
    else if (blank.test(char)) {
      words.push({ text: text.slice(start, i), offset: offset + start });
      start = -1;
    }
  }
  if (start >= 0) words.push({ text: text.slice(start), offset: offset + start });
  return words;
}

/** The JSON form of a command. "not-json": it is in shell form. Throws nothing. */
export function jsonList(text: string): string[] | "not-json" | "not-strings" {
  if (!text.trimStart().startsWith("[")) return "not-json";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "not-json";
  }
  if (!Array.isArray(value)) return "not-json";
  return value.every(item => typeof item === "string") ? value : "not-strings";
}
