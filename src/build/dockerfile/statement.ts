import type { BerthError } from "../../base/errors.ts";
import type { Heredoc } from "./heredoc.ts";
import type { Raw } from "./instruction.ts";
import { type LogicalLine, positionAt } from "./lines.ts";
import { dockerfileError, type Position, type SourceText } from "./source.ts";
import type { Word } from "./split.ts";
import { nearest } from "./suggest.ts";

export interface Flag {
  name: string;
  /** Undefined for a bare `--link`. */
  value: string | undefined;
  offset: number;
}

/** One instruction with its flags taken off, before its own grammar is applied. */
export interface Statement {
  source: SourceText;
  line: LogicalLine;
  escape: "\\" | "`";
  /** Upper case. */
  name: string;
  nameOffset: number;
  flags: Flag[];
  /** What follows the flags, and where in the logical line it starts. */
  rest: string;
  restOffset: number;
  heredocs: Heredoc[];
  at: Position;
}

export function failAt(statement: Statement, offset: number, message: string, hint?: string): BerthError {
  return dockerfileError(statement.source, positionAt(statement.line, offset), message, { hint });
}

export function raw(statement: Statement, word: Word): Raw {
  return { text: word.text, at: positionAt(statement.line, word.offset) };
}

/** The instruction as one line of text, with the bodies of its heredocs. */
export function statementText(statement: Statement): string {
  const head = statement.line.text.slice(statement.nameOffset);
  const named = statement.name + head.slice(statement.name.length);
  return [named, ...statement.heredocs.map(heredoc => `${heredoc.body}${heredoc.name}`)].join("\n");
}

/**
 * Takes `--name` and `--name=value` off the front; `--` ends them. Quotes may hold blanks in a value. The words keep no quotes,
 * but escapes of anything other than quotes and blanks stay, for the expansion that follows.
 */
export function takeFlags(
  text: string,
  offset: number,
  escapeChar: string,
): { flags: Flag[]; rest: string; restOffset: number } {
  const flags: Flag[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text[at]!)) at++;
    if (!text.startsWith("--", at)) break;
    const start = at;
    let word = "";
    let quote = "";
    for (; at < text.length; at++) {
      const char = text[at]!;
      const next = text[at + 1];
      if (char === escapeChar && next !== undefined && (next === '"' || next === "'" || /\s/.test(next))) {
        word += next;
        at++;
      } else if (quote !== "") {
        if (char === quote) quote = "";
        else word += char;
      } else if (char === '"' || char === "'") quote = char;
      else if (/\s/.test(char)) break;
      else word += char;
    }
    if (word === "--") break;
    const equals = word.indexOf("=");
    flags.push({
      name: equals < 0 ? word.slice(2) : word.slice(2, equals),
      value: equals < 0 ? undefined : word.slice(equals + 1),
      offset: offset + start,
    });
  }
  while (at < text.length && /\s/.test(text[at]!)) at++;
  return { flags, rest: text.slice(at), restOffset: offset + at };
}

export interface FlagRules {
  /** Taken once, with a value. */
  values?: readonly string[];
  /** Taken once, with true, false or nothing. */
  booleans?: readonly string[];
  /** May be repeated. */
  lists?: readonly string[];
  /** Known, and not done: refused by name with a reason. */
  refused?: Readonly<Record<string, string>>;
}

export interface Flags {
  value(name: string): Word | undefined;
  boolean(name: string): boolean | undefined;
  list(name: string): Word[];
}

const empty: readonly string[] = [];

/** Checks a statement's flags against what the instruction knows. */
export function readFlags(statement: Statement, rules: FlagRules): Flags {
  const { values = empty, booleans = empty, lists = empty, refused = {} } = rules;
  const seen = new Map<string, Word[]>();
  for (const flag of statement.flags) {
    if (flag.name in refused) {
      throw failAt(
        statement,
        flag.offset,
        `${statement.name} --${flag.name} is not done by Berth: ${refused[flag.name]}`,
      );
    }
    const known = [...values, ...booleans, ...lists];
    if (!known.includes(flag.name)) {
      const meant = nearest(flag.name, known);
      throw failAt(
        statement,
        flag.offset,
        `${statement.name} has no flag --${flag.name}`,
        meant
          ? `did you mean --${meant}?`
          : known.length > 0
            ? `it has ${known.map(name => `--${name}`).join(", ")}`
            : "it has no flags",
      );
    }
    const isBoolean = booleans.includes(flag.name);
    if (isBoolean && flag.value !== undefined && !/^(true|false|1|0)$/i.test(flag.value)) {
      throw failAt(statement, flag.offset, `--${flag.name} is '${flag.value}'`, "it takes true or false");
    }
    if (!isBoolean && !flag.value)
      throw failAt(statement, flag.offset, `--${flag.name} has no value`, `write --${flag.name}=VALUE`);
    const before = seen.get(flag.name);
    if (before && !lists.includes(flag.name)) throw failAt(statement, flag.offset, `--${flag.name} is given twice`);
    const word = { text: flag.value ?? "true", offset: flag.offset + flag.name.length + 3 };
    seen.set(flag.name, [...(before ?? []), word]);
  }
  return {
    value: name => seen.get(name)?.[0],
    boolean: name => {
      const word = seen.get(name)?.[0];
      return word && /^(true|1)$/i.test(word.text);
    },
    list: name => seen.get(name) ?? [],
  };
}
