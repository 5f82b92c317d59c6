/**
 * Shell wildcards of `${v#p}` and its kin: `*` and `?`, a backslash takes the next character as it is; no brackets (Docker has none here).
 * A pattern is the pieces between its stars; `undefined` stands for `?`.
 */
export type ShellPattern = readonly (readonly (string | undefined)[])[];

const longestPattern = 1024;

/** Throws a plain Error with the reason; the caller knows the position. */
export function shellPattern(pattern: string): ShellPattern {
  if (pattern.length > longestPattern)
    throw new Error(`a pattern of ${pattern.length} characters; ${longestPattern} is the most`);
  const pieces: (string | undefined)[][] = [[]];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!;
    const piece = pieces.at(-1)!;
    if (char === "*") {
      if (piece.length > 0 || pieces.length === 1) pieces.push([]);
    } else if (char === "?") piece.push(undefined);
    else if (char === "\\") {
      const next = chars[++i];
      if (next === undefined || !"*?\\}/".includes(next))
        throw new Error(`invalid escape '\\${next ?? ""}' in pattern '${pattern}'`);
      piece.push(next);
    } else piece.push(char);
  }
  return pieces;
}

function fits(piece: readonly (string | undefined)[], chars: readonly string[], at: number): boolean {
  if (at + piece.length > chars.length) return false;
  return piece.every((char, i) => char === undefined || char === chars[at + i]);
}

type Match = { end: number } | "no-match-here" | "no-match-later-either";

/**
 * Match from `start`: the first piece is anchored, further ones are taken as early as they come; the last as early or as late as `greedy` says.
 * A failure behind a star fails for every later start too, which keeps a search over all starts linear.
 */
function match(pattern: ShellPattern, chars: readonly string[], start: number, greedy: boolean): Match {
  const [first, ...rest] = pattern;
  if (!fits(first!, chars, start)) return "no-match-here";
  let at = start + first!.length;
  for (const [index, piece] of rest.entries()) {
    if (greedy && index === rest.length - 1) {
      let last = chars.length - piece.length;
      while (last >= at && !fits(piece, chars, last)) last--;
      return last >= at ? { end: last + piece.length } : "no-match-later-either";
    }
    while (at + piece.length <= chars.length && !fits(piece, chars, at)) at++;
    if (at + piece.length > chars.length) return "no-match-later-either";
    at += piece.length;
  }
  return { end: at };
}

export function trimPrefix(value: string, pattern: ShellPattern, greedy: boolean): string {
  const chars = Array.from(value);
  const found = match(pattern, chars, 0, greedy);
  return typeof found === "string" ? value : chars.slice(found.end).join("");
}

export function trimSuffix(value: string, pattern: ShellPattern, greedy: boolean): string {
  const backwards = pattern.map(piece => piece.toReversed()).reverse();
  const chars = Array.from(value).reverse();
  const found = match(backwards, chars, 0, greedy);
  return typeof found === "string" ? value : chars.slice(found.end).reverse().join("");
}

/** Leftmost, longest. An empty match replaces nothing. */
export function replacePattern(value: string, pattern: ShellPattern, replacement: string, all: boolean): string {
  const chars = Array.from(value);
  const out: string[] = [];
  let i = 0;
  while (i < chars.length) {
    const found = match(pattern, chars, i, true);
    if (found === "no-match-later-either") break;
    if (found === "no-match-here" || found.end === i) {
      out.push(chars[i++]!);
      continue;
    }
    out.push(replacement);
    i = found.end;
    if (!all) break;
  }
  return out.join("") + chars.slice(i).join("");
}
