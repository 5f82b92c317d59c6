import { type Lookup, substitute, TemplateError } from "../3-interpolate/template.ts";
import { limits } from "../limits.ts";
import type { SourceText } from "../node.ts";
import { fail } from "../problems.ts";

/**
 * The variables of a dotenv file, later ones over earlier ones: `KEY=value`, `KEY: value`, `export KEY=value`, and a bare `KEY`,
 * which takes its value from `lookup` and is left out where that has none. Single quotes keep text as it is; double quotes and
 * bare values take variables (from `lookup` first, then from above in the file); quoted values may run over several lines.
 */
export function parseDotenv(source: SourceText, lookup: Lookup): Record<string, string> {
  const reader = { source, text: source.text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n"), at: 0 };
  const found: Record<string, string> = Object.create(null);
  const inFile: Lookup = name => lookup(name) ?? found[name];
  let length = 0;
  for (;;) {
    skipBlank(reader);
    if (reader.at >= reader.text.length) return { ...found };
    const entry = readEntry(reader, inFile);
    const value = entry.value ?? lookup(entry.key);
    if (value === undefined) continue;
    found[entry.key] = value;
    length += value.length;
    if (length > limits.interpolatedLength) refuse(reader, "the file is too large with its variables filled in");
  }
}

interface Reader {
  source: SourceText;
  text: string;
  at: number;
}

function skip(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at;
  const matched = pattern.exec(reader.text)?.[0] ?? "";
  reader.at += matched.length;
  return matched;
}

function refuse(reader: Reader, message: string, hint?: string): never {
  const { source, text, at } = reader;
  // Line ends and the byte order mark were taken out: count the line, and show its start.
  const line = text.slice(0, at).split("\n").length - 1;
  let offset = 0;
  for (let passed = 0; passed < line; passed++) offset = source.text.indexOf("\n", offset) + 1;
  return fail({ source, offset }, [], message, hint);
}

function readEntry(reader: Reader, lookup: Lookup): { key: string; value: string | undefined } {
  skip(reader, /export[ \t]+/y);
  const key = skip(reader, /[^\s=:#]+/y);
  if (!/^[a-zA-Z_0-9.[\]-]+$/.test(key)) {
    refuse(reader, `${JSON.stringify(key)} is no variable name`, "a line is KEY=VALUE, or starts with # as a comment");
  }
  skip(reader, /[ \t]*/y);
  const next = reader.text[reader.at];
  if (next === "=" || next === ":") {
    reader.at++;
    skip(reader, /[ \t]*/y);
    return { key, value: readValue(reader, lookup) };
  }
  if (next !== undefined && next !== "\n" && next !== "#") {
    refuse(reader, `after ${key} comes neither "=" nor the end of the line`, "a key holds no spaces");
  }
  return { key, value: undefined };
}

function readValue(reader: Reader, lookup: Lookup): string {
  const quote = reader.text[reader.at];
  if (quote !== '"' && quote !== "'") {
    const bare = skip(reader, /[^\n]*/y);
    // A comment starts at a # after a space; a # within a word belongs to it.
    return fill(reader, bare.replace(/(^|\s)#.*$/, "").trim(), lookup);
  }
  const start = reader.at++;
  const inner = skipQuoted(reader, quote);
  if (reader.text[reader.at] !== quote) {
    reader.at = start;
    refuse(reader, `the quoted value is not closed by ${quote}`);
  }
  reader.at++;
  skip(reader, /[^\n]*/y);
  return quote === "'" ? inner : fill(reader, withoutEscapes(inner), lookup);
}

/** Blank lines and comments. */
function skipBlank(reader: Reader): void {
  while (skip(reader, /\s+/y) !== "" || skip(reader, /#[^\n]*/y) !== "");
}

/** To the closing quote, or the end of the text. */
function skipQuoted(reader: Reader, quote: string): string {
  const start = reader.at;
  const { text } = reader;
  while (reader.at < text.length && text[reader.at] !== quote) reader.at += text[reader.at] === "\\" ? 2 : 1;
  reader.at = Math.min(reader.at, text.length);
  return text.slice(start, reader.at);
}

const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t", f: "\f", b: "\b", v: "\v", a: "\x07", $: "$$" };

function withoutEscapes(text: string): string {
  return text.replace(/\\([\s\S])/g, (whole, char: string) => escapes[char] ?? ('"\\'.includes(char) ? char : whole));
}

function fill(reader: Reader, value: string, lookup: Lookup): string {
  try {
    return substitute(value, lookup);
  } catch (error) {
    if (error instanceof TemplateError) return refuse(reader, error.message, error.hint);
    throw error;
  }
}

/** An env_file of `format: raw`: each line KEY=VALUE to its end, as it stands; a bare KEY takes its value from `lookup`. */
export function parseRawEnv(text: string, lookup: Lookup): Record<string, string> {
  const found: Record<string, string> = Object.create(null);
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const trimmed = line.trimStart();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const equals = trimmed.indexOf("=");
    const key = equals < 0 ? trimmed.trimEnd() : trimmed.slice(0, equals);
    const value = equals < 0 ? lookup(key) : trimmed.slice(equals + 1);
    if (value !== undefined && key !== "") found[key] = value;
  }
  return { ...found };
}
