import { canonicalJson } from "./canonical.ts";

/** One field that differs. `from` and `to` are short JSON texts; undefined where there was or is nothing. */
export interface FieldChange {
  /** "image", "environment.LOG_LEVEL", "ports[0].hostPort". */
  path: string;
  from?: string;
  to?: string;
}

const longestValue = 80;

/** What differs between two JSON values, field by field, in the order of the fields' names. `hidden` paths keep their values to themselves. */
export function differences(
  from: unknown,
  to: unknown,
  hidden: (path: string) => boolean = () => false,
): FieldChange[] {
  const found: FieldChange[] = [];
  compare(from, to, "", found, hidden);
  return found;
}

function compare(
  from: unknown,
  to: unknown,
  path: string,
  found: FieldChange[],
  hidden: (path: string) => boolean,
): void {
  if (canonicalJson(from) === canonicalJson(to)) return;
  if (isObject(from) && isObject(to)) {
    for (const key of [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()) {
      compare(from[key], to[key], path === "" ? key : `${path}.${key}`, found, hidden);
    }
  } else if (Array.isArray(from) && Array.isArray(to) && from.length === to.length && to.some(isObject)) {
    for (const [index, member] of to.entries()) compare(from[index], member, `${path}[${index}]`, found, hidden);
  } else {
    const secret = hidden(path);
    found.push({ path, from: text(from, secret), to: text(to, secret) });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function text(value: unknown, secret: boolean): string | undefined {
  if (value === undefined) return undefined;
  if (secret) return "(hidden)";
  // A digest's first digits tell it apart, and are what other commands show.
  const json = canonicalJson(value).replace(/sha256:([0-9a-f]{12})[0-9a-f]{52}/g, "$1");
  return json.length > longestValue ? `${json.slice(0, longestValue - 1)}…` : json;
}

/** `image "web:1" -> "web:2"`, `ports added […]`, `user removed`. */
export function describeChange({ path, from, to }: FieldChange): string {
  if (from === undefined) return `${path} ${to} added`;
  if (to === undefined) return `${path} ${from} removed`;
  return from === to ? `${path} changed` : `${path} ${from} -> ${to}`;
}
