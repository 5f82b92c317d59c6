import { replacePattern, shellPattern, trimPrefix, trimSuffix } from "./shell-pattern.ts";
import { limits } from "./source.ts";

export type Variables = (name: string) => string | undefined;

export interface ExpandOptions {
  escape?: "\\" | "`";
  /** Keep quotes and what they mean: the word is read again later. */
  rawQuotes?: boolean;
  /** Keep escapes in the result. */
  rawEscapes?: boolean;
  /** Bodies of heredocs: quotes are plain characters, and a backslash escapes only `$`, itself, a backquote and a newline (POSIX 2.7.4). */
  heredoc?: boolean;
  /** `$x` of an unset x stays as it is. */
  keepUnset?: boolean;
}

export interface Expanded {
  text: string;
  /** `text` split at unquoted blanks, after expansion. */
  words: string[];
  /** Names that had no value, in order, each once. */
  unset: string[];
}

/** Why a word cannot be expanded, and where in it. */
export class ExpandError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

class Words {
  readonly done: string[] = [];
  #word = "";
  #open = false;

  plain(text: string) {
    for (const piece of text.split(/(\s+)/u)) {
      if (piece === "") continue;
      if (!/^\s/u.test(piece)) this.quoted(piece);
      else if (this.#open) this.close();
    }
  }
  quoted(text: string) {
    this.#word += text;
    this.#open = true;
  }
  close(): string[] {
    if (this.#word !== "") this.done.push(this.#word);
    this.#word = "";
    this.#open = false;
    return this.done;
  }
}

/** A recursive descent over one word; as deep as `${a:-${b:-…}}` nests, bounded. */
class Expansion {
  readonly #chars: string[];
  readonly #variables: Variables;
  readonly #options: ExpandOptions;
  readonly #escape: string;
  readonly unset = new Set<string>();
  #at = 0;
  #depth = 0;
  #produced = 0;

  constructor(word: string, variables: Variables, options: ExpandOptions) {
    this.#chars = Array.from(word);
    this.#variables = variables;
    this.#options = options;
    this.#escape = options.escape ?? "\\";
  }

  run(): { text: string; words: string[] } {
    return this.#until(undefined, this.#options.rawEscapes ?? false);
  }

  #fail(message: string): ExpandError {
    return new ExpandError(message, this.#chars.slice(0, this.#at).join("").length);
  }

  /** Every piece of output passes here, so that no expansion grows without bound. */
  #bounded(text: string): string {
    this.#produced += text.length;
    if (this.#produced > limits.word_chars)
      throw this.#fail(`the expansion grows beyond ${limits.word_chars} characters`);
    return text;
  }

  #until(stop: string | undefined, rawEscapes: boolean): { text: string; words: string[] } {
    if (++this.#depth > 100) throw this.#fail("substitutions are nested too deep");
    const out: string[] = [];
    const words = new Words();
    while (this.#at < this.#chars.length) {
      const char = this.#chars[this.#at]!;
      if (char === stop) {
        this.#at++;
        this.#depth--;
        return { text: out.join(""), words: words.close() };
      }
      this.#piece(char, rawEscapes, out, words);
    }
    if (stop !== undefined) throw this.#fail(`missing '${stop}'`);
    this.#depth--;
    return { text: out.join(""), words: words.close() };
  }

  #piece(char: string, rawEscapes: boolean, out: string[], words: Words) {
    const quotes = !this.#options.heredoc;
    if (char === "$") {
      const value = this.#bounded(this.#dollar());
      out.push(value);
      words.plain(value);
    } else if (quotes && (char === "'" || char === '"')) {
      const value = this.#bounded(char === "'" ? this.#singleQuoted() : this.#doubleQuoted(rawEscapes));
      out.push(value);
      words.quoted(value);
    } else if (char === this.#escape) {
      const value = this.#bounded(this.#escaped(rawEscapes));
      out.push(value);
      words.quoted(value);
    } else {
      this.#at++;
      out.push(char);
      words.plain(char);
    }
  }

  #escaped(rawEscapes: boolean): string {
    this.#at++;
    const next = this.#chars[this.#at];
    if (next === undefined) return rawEscapes || this.#options.heredoc ? this.#escape : "";
    this.#at++;
    if (this.#options.heredoc && !rawEscapes) {
      if (next === "\n") return "";
      return next === "$" || next === "`" || next === this.#escape ? next : this.#escape + next;
    }
    return rawEscapes ? this.#escape + next : next;
  }

  #singleQuoted(): string {
    const end = this.#chars.indexOf("'", this.#at + 1);
    if (end < 0) throw this.#fail("a single quote is opened and not closed");
    const inner = this.#chars.slice(this.#at + 1, end).join("");
    this.#at = end + 1;
    return this.#options.rawQuotes ? `'${inner}'` : inner;
  }

  #doubleQuoted(rawEscapes: boolean): string {
    const out: string[] = [];
    const start = this.#at++;
    for (;;) {
      const char = this.#chars[this.#at];
      if (char === undefined) {
        this.#at = start;
        throw this.#fail("a double quote is opened and not closed");
      }
      if (char === '"') break;
      if (char === "$") {
        out.push(this.#bounded(this.#dollar()));
        continue;
      }
      this.#at++;
      const next = this.#chars[this.#at];
      if (char === this.#escape && (next === '"' || next === "$" || next === this.#escape)) {
        this.#at++;
        out.push(rawEscapes ? char + next : next);
      } else out.push(char);
    }
    this.#at++;
    const inner = out.join("");
    return this.#options.rawQuotes ? `"${inner}"` : inner;
  }

  #name(): string {
    const first = this.#chars[this.#at] ?? "";
    if (/^[0-9]$/.test(first)) return this.#take(/^[0-9]$/);
    if ("@*#?-$!".includes(first) && first !== "") {
      this.#at++;
      return first;
    }
    return this.#take(/^[\p{L}\p{N}_]$/u);
  }

  #take(kind: RegExp): string {
    const from = this.#at;
    while (this.#at < this.#chars.length && kind.test(this.#chars[this.#at]!)) this.#at++;
    return this.#chars.slice(from, this.#at).join("");
  }

  #value(name: string): string | undefined {
    const value = this.#variables(name);
    if (value === undefined) this.unset.add(name);
    return value;
  }

  #dollar(): string {
    this.#at++;
    if (this.#chars[this.#at] !== "{") {
      const name = this.#name();
      if (name === "") return "$";
      return this.#value(name) ?? (this.#options.keepUnset ? `$${name}` : "");
    }
    this.#at++;
    const start = this.#chars[this.#at];
    if (start === undefined) throw this.#fail("missing '}'");
    const name = this.#name();
    if (name === "") throw this.#fail("a substitution without a variable's name");
    return this.#modified(name);
  }

  #modified(name: string): string {
    let operator = this.#chars[this.#at++];
    if (operator === undefined) throw this.#fail("missing '}'");
    if (operator === "}") return this.#value(name) ?? (this.#options.keepUnset ? `\${${name}}` : "");
    if (operator === "/") return this.#replaced(name);
    let emptyIsUnset = false;
    if (operator === ":") {
      emptyIsUnset = true;
      operator = this.#chars[this.#at++] ?? "";
      if (!"+-?".includes(operator) || operator === "") throw this.#unknown(`:${operator}`);
    }
    if (!"+-?#%".includes(operator)) throw this.#unknown(operator);
    const isTrim = operator === "#" || operator === "%";
    const greedy = isTrim && this.#chars[this.#at] === operator;
    if (greedy) this.#at++;
    const from = this.#at;
    const word = this.#until("}", isTrim).text;
    const value = this.#value(name);
    if (value === undefined && this.#options.keepUnset) {
      return `\${${name}${emptyIsUnset ? ":" : ""}${operator}${greedy ? operator : ""}${word}}`;
    }
    const has = value !== undefined && !(emptyIsUnset && value === "");
    if (operator === "-") return has ? value : word;
    if (operator === "+") return has ? word : "";
    if (operator === "?") {
      if (has) return value;
      throw this.#fail(`${name}: ${word || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`);
    }
    const pattern = this.#pattern(word, from);
    return (operator === "#" ? trimPrefix : trimSuffix)(value ?? "", pattern, greedy);
  }

  #replaced(name: string): string {
    const all = this.#chars[this.#at] === "/";
    if (all) this.#at++;
    const from = this.#at;
    const pattern = this.#until("/", true).text;
    const replacement = this.#until("}", false).text;
    const value = this.#value(name);
    if (value === undefined && this.#options.keepUnset) return `\${${name}/${all ? "/" : ""}${pattern}/${replacement}}`;
    return replacePattern(value ?? "", this.#pattern(pattern, from), replacement, all);
  }

  #pattern(text: string, from: number) {
    try {
      return shellPattern(text);
    } catch (thrown) {
      this.#at = from;
      throw this.#fail(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  #unknown(operator: string): ExpandError {
    this.#at--;
    return this.#fail(`'${operator}' is no substitution operator; there are :- - :+ + :? ? # ## % %% / //`);
  }
}

/** Expands variables and takes quotes and escapes off, as Docker's builder does; throws ExpandError. */
export function expandWord(word: string, variables: Variables, options: ExpandOptions = {}): Expanded {
  const expansion = new Expansion(word, variables, options);
  const { text, words } = expansion.run();
  return { text, words, unset: [...expansion.unset] };
}
