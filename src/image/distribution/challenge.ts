/** One demand of a WWW-Authenticate header (RFC 9110, 11.6.1), e.g. Bearer with realm, service and scope. */
export interface Challenge {
  /** Lower case. */
  scheme: string;
  parameters: Record<string, string>;
}

const token = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+/;
const headerLimit = 16 * 1024;

/** Reads every challenge of the header; what is malformed ends the reading. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let rest = header.slice(0, headerLimit).trimStart();
  while (rest !== "") {
    const scheme = token.exec(rest)?.[0];
    if (scheme === undefined) return challenges;
    const challenge: Challenge = { scheme: scheme.toLowerCase(), parameters: {} };
    challenges.push(challenge);
    rest = rest.slice(scheme.length).trimStart();
    for (;;) {
      const parameter = /^([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(,?)\s*/.exec(rest);
      if (parameter === null) break;
      const [whole, name, quoted, plain, comma] = parameter;
      challenge.parameters[name!.toLowerCase()] = quoted === undefined ? plain! : quoted.replace(/\\(.)/g, "$1");
      rest = rest.slice(whole.length);
      if (comma === "") break;
    }
    rest = rest.replace(/^[\s,]+/, "");
  }
  return challenges;
}
