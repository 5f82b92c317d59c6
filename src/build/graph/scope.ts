import { formatPlatform } from "../../image/platform.ts";
import type { Platform } from "../../model/image.ts";
import type { Raw } from "../dockerfile/instruction.ts";
import {
  ExpandError,
  type Expanded,
  type ExpandOptions,
  expandWord,
  type Variables,
} from "../dockerfile/shell-words.ts";
import { dockerfileError, type SourceText } from "../dockerfile/source.ts";

/** Build arguments that need no ARG: the proxies, in both spellings. */
export const proxyArgs = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap(name => [
  name,
  name.toLowerCase(),
]);

/** Arguments that the builder itself understands. */
export const builderArgs = [
  "SOURCE_DATE_EPOCH",
  "BUILDKIT_INLINE_CACHE",
  "BUILDKIT_CONTEXT_KEEP_GIT_DIR",
  "BUILDKIT_MULTI_PLATFORM",
];

/** Names of the platform arguments with their values; usable in FROM, and in a stage after a bare ARG. */
export function platformArgs(host: Platform, target: Platform, targetStage: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const [prefix, platform] of [
    ["BUILD", host],
    ["TARGET", target],
  ] as const) {
    values.set(`${prefix}PLATFORM`, formatPlatform(platform));
    values.set(`${prefix}OS`, platform.os);
    values.set(`${prefix}ARCH`, platform.architecture);
    values.set(`${prefix}VARIANT`, platform.variant ?? "");
  }
  return values.set("TARGETSTAGE", targetStage);
}

/** Variables with a file to point into when a word cannot be expanded. */
export class Scope {
  readonly #source: SourceText;
  readonly #escape: "\\" | "`";
  readonly #variables: Variables;
  /** Reports names without a value, with the word they were used in. */
  readonly #onUnset: (name: string, word: Raw) => void;

  constructor(
    source: SourceText,
    escapeChar: "\\" | "`",
    variables: Variables,
    onUnset: (name: string, word: Raw) => void = () => {},
  ) {
    this.#source = source;
    this.#escape = escapeChar;
    this.#variables = variables;
    this.#onUnset = onUnset;
  }

  #expand(word: Raw, options: ExpandOptions): Expanded {
    try {
      const expanded = expandWord(word.text, this.#variables, { escape: this.#escape, ...options });
      for (const name of expanded.unset) this.#onUnset(name, word);
      return expanded;
    } catch (thrown) {
      if (!(thrown instanceof ExpandError)) throw thrown;
      throw dockerfileError(
        this.#source,
        { line: word.at.line, column: word.at.column + thrown.offset },
        thrown.message,
      );
    }
  }

  text(word: Raw): string {
    return this.#expand(word, {}).text;
  }

  words(word: Raw): string[] {
    return this.#expand(word, {}).words;
  }

  heredoc(word: Raw): string {
    return this.#expand(word, { escape: "\\", heredoc: true }).text;
  }

  fail(word: Raw, message: string, hint?: string) {
    return dockerfileError(this.#source, word.at, message, { hint });
  }
}
