import { BerthError } from "../../base/errors.ts";

type Change = (mode: number, isDirectory: boolean) => number;

const whoBits: Record<string, number> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };

function clause(text: string): Change | undefined {
  const match = /^([ugoa]*)((?:[-+=][rwxXst]*)+)$/.exec(text);
  if (!match) return undefined;
  const who = [...(match[1] || "a")].reduce((bits, char) => bits | whoBits[char]!, 0);
  const actions = [...match[2]!.matchAll(/([-+=])([rwxXst]*)/g)];
  return (start, isDirectory) =>
    actions.reduce((mode, [, operator, letters]) => {
      let bits = 0;
      for (const letter of letters!) {
        if (letter === "r") bits |= 0o444;
        if (letter === "w") bits |= 0o222;
        if (letter === "x" || (letter === "X" && (isDirectory || (mode & 0o111) !== 0))) bits |= 0o111;
        if (letter === "s") bits |= 0o6000;
        if (letter === "t") bits |= 0o1000;
      }
      bits &= who;
      if (operator === "+") return mode | bits;
      if (operator === "-") return mode & ~bits;
      return (mode & ~(who & 0o777)) | bits;
    }, start);
}

/** chmod's argument, octal or symbolic ("u=rwX,go=rX"), as a function of the mode before. Throws `invalid`. */
export function parseMode(text: string): Change {
  if (/^[0-7]{1,4}$/.test(text) || /^0[0-7]{4}$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    return () => mode;
  }
  const clauses = text.split(",").map(clause);
  if (clauses.some(change => change === undefined)) {
    throw new BerthError("invalid", `--chmod is '${text}'`, { hint: "it is octal (755) or symbolic (u=rwX,go=rX)" });
  }
  return (mode, isDirectory) => clauses.reduce((at, change) => change!(at, isDirectory), mode);
}
