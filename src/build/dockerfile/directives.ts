import { dockerfileError, type SourceText } from "./source.ts";

/** Comments at the very top of the file that change how the rest is read. */
export interface Directives {
  /** Accepted, and never fetched: Berth reads the language itself. */
  syntax?: string;
  escape: "\\" | "`";
  check?: string;
}

const known = ["syntax", "escape", "check"] as const;
type Known = (typeof known)[number];

function isKnown(name: string): name is Known {
  return (known as readonly string[]).includes(name);
}

/**
 * Reads `# key=value` lines until the first that is none: after any other comment, blank line or instruction such lines are plain comments.
 * A `#!` line may come first.
 */
export function readDirectives(source: SourceText): Directives {
  const found = new Map<Known, string>();
  const directives: Directives = { escape: "\\" };
  for (const [index, line] of source.lines.entries()) {
    if (index === 0 && line.startsWith("#!")) continue;
    const match = /^[ \t]*#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(\S.*)?$/.exec(line);
    const name = match?.[1]?.toLowerCase();
    if (!match || name === undefined || !isKnown(name)) break;
    const value = (match[2] ?? "").trimEnd();
    const at = { line: index + 1, column: line.indexOf("#") + 1 };
    if (found.has(name))
      throw dockerfileError(source, at, `the directive '${name}' is given twice`, { hint: "keep one" });
    found.set(name, value);
    if (name !== "escape") {
      directives[name] = value;
      continue;
    }
    if (value !== "\\" && value !== "`") {
      throw dockerfileError(source, at, `escape is '${value}'`, { hint: "it must be \\ (the default) or `" });
    }
    directives.escape = value;
  }
  return directives;
}
