import { limits } from "../limits.ts";

/** What a `${…}` needs to know. `undefined`: not set; "" is set, and empty. */
export type Lookup = (name: string) => string | undefined;

/** Names out of an object, and no names that all objects have. */
export function lookupIn(values: Record<string, string | null>): Lookup {
  return name => (Object.hasOwn(values, name) ? (values[name] ?? undefined) : undefined);
}

/** A template that cannot be filled in. `offset` counts from the start of the template. */
export class TemplateError extends Error {
  readonly offset: number;
  readonly hint: string | undefined;
  constructor(offset: number, message: string, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

/**
 * Fills in `$V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e} ${V:+a} ${V+a}`, nested to any sensible depth; `$$` is a dollar
 * (Compose Specification, Interpolation). `onUnset` is told of each variable that is not set and has no default.
 * Throws TemplateError for a `$` that is none of these, and for a required variable that is missing.
 */
export function substitute(template: string, lookup: Lookup, onUnset: (name: string) => void = () => {}): string {
  return template.includes("$") ? fill(template, 0, { lookup, onUnset }, 0) : template;
}

interface Filling {
  lookup: Lookup;
  onUnset: (name: string) => void;
}

const nameAt = /[a-zA-Z_][a-zA-Z0-9_]*/y;

function fill(text: string, offset: number, filling: Filling, depth: number): string {
  if (depth > limits.nesting) throw new TemplateError(offset, "variables are nested too deep");
  let filled = "";
  let done = 0;
  for (let at = text.indexOf("$"); at >= 0; at = text.indexOf("$", done)) {
    filled += text.slice(done, at);
    const next = text[at + 1];
    if (next === "$") {
      filled += "$";
      done = at + 2;
    } else if (next === "{") {
      const end = closing(text, at + 2);
      if (end < 0) throw new TemplateError(offset + at, `"\${" is not closed`, "write $$ for a dollar sign");
      filled += braced(text.slice(at + 2, end), offset + at, filling, depth);
      done = end + 1;
    } else {
      const name = matchName(text, at + 1);
      if (name === "")
        throw new TemplateError(offset + at, "a $ here starts no variable", "write $$ for a dollar sign");
      filled += value(name, filling);
      done = at + 1 + name.length;
    }
  }
  return filled + text.slice(done);
}

function matchName(text: string, at: number): string {
  nameAt.lastIndex = at;
  return nameAt.exec(text)?.[0] ?? "";
}

/** The brace that closes the one before `from`. */
function closing(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "}" && --open === 0) return at;
    if (text[at] === "$" && text[at + 1] === "{") open++;
  }
  return -1;
}

function value(name: string, { lookup, onUnset }: Filling): string {
  const found = lookup(name);
  if (found === undefined) onUnset(name);
  return found ?? "";
}

/** What stands between the braces; `offset` is that of the dollar. */
function braced(inner: string, offset: number, filling: Filling, depth: number): string {
  const name = matchName(inner, 0);
  const rest = inner.slice(name.length);
  const operator = /^:?[-?+]/.exec(rest)?.[0] ?? "";
  if (name === "" || (rest !== "" && operator === "")) {
    throw new TemplateError(offset, `\${${inner}} is not a variable`, "write $$ for a dollar sign");
  }
  if (operator === "") return value(name, filling);
  const found = filling.lookup(name);
  const given = found !== undefined && (found !== "" || !operator.startsWith(":"));
  const word = () => fill(rest.slice(operator.length), offset + 2 + name.length + operator.length, filling, depth + 1);
  if (operator.endsWith("-")) return given ? found : word();
  if (operator.endsWith("+")) return given ? word() : "";
  if (given) return found;
  const message = word();
  throw new TemplateError(
    offset,
    `the variable ${name} is required and ${found === "" ? "empty" : "not set"}${message === "" ? "" : `: ${message}`}`,
    `set it in the environment, or in a file given with --env-file`,
  );
}
