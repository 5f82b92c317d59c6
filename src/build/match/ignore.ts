import { BerthError } from "../../base/errors.ts";
import { type Glob, GlobError, hasWildcard, matchGlob, parseGlob } from "./glob.ts";

interface IgnorePattern {
  text: string;
  /** `!pattern`: takes back what earlier patterns took away. */
  negated: boolean;
  glob: Glob | undefined;
  /** Directory part in front of the first wildcard: where a match can lie at all. */
  prefix: string;
}

/** `a/./b/../c/` -> `a/c`; a path that would leave the root stays in it. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

function compile(line: string, where: string): IgnorePattern | undefined {
  const negated = line.startsWith("!");
  const text = cleanPath((negated ? line.slice(1) : line).trim());
  if (text === "") {
    if (!negated) return undefined;
    throw new BerthError("invalid", `${where}: '${line}' takes nothing back`, { hint: "write !PATTERN" });
  }
  try {
    const glob = hasWildcard(text) ? parseGlob(text, { doubleStar: true }) : undefined;
    const literal = text.split(/[*?[\\]/, 1)[0]!;
    const prefix = glob ? literal.slice(0, literal.lastIndexOf("/") + 1) : text;
    return { text, negated, glob, prefix };
  } catch (thrown) {
    if (!(thrown instanceof GlobError)) throw thrown;
    throw new BerthError("invalid", `${where}: ${thrown.message}`);
  }
}

/** Which patterns have matched a directory: its children inherit that. */
export type IgnoreState = readonly boolean[];

/**
 * Patterns of a .dockerignore: later ones win, a matched directory takes its contents along, `!` takes back.
 * Paths are relative, with slashes, without a leading one.
 */
export class IgnoreRules {
  readonly #patterns: IgnorePattern[];
  readonly empty: boolean;
  readonly start: IgnoreState;

  constructor(lines: readonly string[], where: string) {
    this.#patterns = lines.map(line => compile(line, where)).filter(pattern => pattern !== undefined);
    this.empty = this.#patterns.length === 0;
    this.start = this.#patterns.map(() => false);
  }

  /** `parent` is the state of the directory that holds `path`. */
  test(path: string, parent: IgnoreState): { ignored: boolean; state: IgnoreState } {
    let ignored = false;
    const state = this.#patterns.map((pattern, i) => {
      const hit = parent[i] || (pattern.glob ? matchGlob(pattern.glob, path) : pattern.text === path);
      if (hit) ignored = !pattern.negated;
      return hit;
    });
    return { ignored, state };
  }

  /** Of a single path, its parents looked at too. */
  ignores(path: string): boolean {
    let state = this.start;
    let ignored = false;
    const parts = path.split("/");
    for (let i = 1; i <= parts.length; i++) ({ ignored, state } = this.test(parts.slice(0, i).join("/"), state));
    return ignored;
  }

  /** Whether an ignored directory may still hold something that a `!` pattern takes back. */
  mayTakeBackIn(directory: string): boolean {
    const inside = `${directory}/`;
    return this.#patterns.some(({ negated, prefix, glob }) => {
      if (!negated) return false;
      return prefix.startsWith(inside) || (glob !== undefined && inside.startsWith(prefix)) || prefix === directory;
    });
  }
}

/** Lines of a .dockerignore: `#` at the very start is a comment; blanks around a pattern do not count. */
export function parseIgnoreFile(text: string, where = ".dockerignore"): IgnoreRules {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  return new IgnoreRules(
    lines.filter(line => !line.startsWith("#")).map(line => line.trim()),
    where,
  );
}
