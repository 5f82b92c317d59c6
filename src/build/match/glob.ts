/** Wildcard patterns over paths, matched without a regular expression so that no pattern takes more than tokens × characters steps. */
export type Token =
  | { kind: "char"; char: string }
  /** `?`: one character, not the separator. */
  | { kind: "any" }
  /** `*`: any number of characters, none of them the separator. */
  | { kind: "star" }
  /** `**` and something behind it: nothing, or anything up to and with a separator. */
  | { kind: "directories" }
  /** `**` at the end: everything. */
  | { kind: "rest" }
  | { kind: "class"; negated: boolean; ranges: readonly [string, string][] };

export type Glob = readonly Token[];

/** Why a text is no pattern; plain, since the caller knows where it stands. */
export class GlobError extends Error {}

function readClass(text: string, start: number): { token: Token; next: number } {
  let at = start + 1;
  const negated = text[at] === "^" || text[at] === "!";
  if (negated) at++;
  const ranges: [string, string][] = [];
  const one = (): string => {
    if (text[at] === "\\") at++;
    const char = text[at++];
    if (char === undefined) throw new GlobError(`'[' is never closed in '${text}'`);
    return char;
  };
  while (text[at] !== "]" || ranges.length === 0) {
    if (text[at] === "]" || text[at] === "-") throw new GlobError(`a bad range in '${text}'`);
    const low = one();
    let high = low;
    if (text[at] === "-") {
      at++;
      high = one();
    }
    ranges.push([low, high]);
  }
  return { token: { kind: "class", negated, ranges }, next: at + 1 };
}

/** `doubleStar`: `**` crosses directories, as in .dockerignore; else it is two stars, as in Go's filepath.Match. Throws GlobError. */
export function parseGlob(text: string, { doubleStar = false }: { doubleStar?: boolean } = {}): Glob {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const char = text[at]!;
    if (char === "*" && doubleStar && text[at + 1] === "*") {
      at += 2;
      if (text[at] === "/") at++;
      tokens.push({ kind: at >= text.length ? "rest" : "directories" });
    } else if (char === "*") {
      if (tokens.at(-1)?.kind !== "star") tokens.push({ kind: "star" });
      at++;
    } else if (char === "?") {
      tokens.push({ kind: "any" });
      at++;
    } else if (char === "[") {
      const { token, next } = readClass(text, at);
      tokens.push(token);
      at = next;
    } else if (char === "\\") {
      const next = text[at + 1];
      if (next === undefined) throw new GlobError(`'${text}' ends in a backslash`);
      tokens.push({ kind: "char", char: next });
      at += 2;
    } else {
      tokens.push({ kind: "char", char });
      at++;
    }
  }
  return tokens;
}

export function hasWildcard(text: string): boolean {
  return /[*?[\\]/.test(text);
}

function fits(token: Token, char: string | undefined): boolean {
  if (char === undefined) return false;
  if (token.kind === "char") return token.char === char;
  if (char === "/") return false;
  if (token.kind !== "class") return true;
  return token.ranges.some(([low, high]) => low <= char && char <= high) !== token.negated;
}

/** Whether the whole of `text` fits. */
export function matchGlob(glob: Glob, text: string): boolean {
  const open: [number, number][] = [[0, 0]];
  let seen: Set<number> | undefined;
  for (let tried = 0; open.length > 0; tried++) {
    let [token, at] = open.pop()!;
    if (tried > 32) {
      seen ??= new Set();
      const state = token * (text.length + 1) + at;
      if (seen.has(state)) continue;
      seen.add(state);
    }
    for (;;) {
      const current = glob[token];
      if (current === undefined) {
        if (at === text.length) return true;
        break;
      }
      if (current.kind === "rest") return true;
      if (current.kind === "star") {
        if (at < text.length && text[at] !== "/") open.push([token, at + 1]);
        token++;
      } else if (current.kind === "directories") {
        const slash = text.indexOf("/", at);
        if (slash >= 0) open.push([token, slash + 1]);
        token++;
      } else {
        if (!fits(current, text[at])) break;
        token++;
        at++;
      }
    }
  }
  return false;
}
