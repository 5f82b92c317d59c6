import { BerthError } from "../../base/errors.ts";
import type { Filters } from "../../ports/engine.ts";
import { Fields } from "./fields.ts";

/** Query parameters as Docker reads them. */
export class Query {
  readonly #values: URLSearchParams;

  constructor(values: URLSearchParams) {
    this.#values = values;
  }

  /** Absent and empty are the same. */
  text(name: string): string | undefined {
    return this.#values.get(name) || undefined;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new BerthError("invalid", `the query parameter ${name} is missing`);
    return value;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  all(name: string): string[] {
    return this.#values.getAll(name).filter(Boolean);
  }

  flag(name: string, otherwise = false): boolean {
    const value = this.#values.get(name);
    if (value === null) return otherwise;
    return !["", "0", "no", "false", "none"].includes(value.trim().toLowerCase());
  }

  number(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (/^-?\d{1,15}$/.test(value)) return Number(value);
    throw new BerthError("invalid", `the query parameter ${name} must be a whole number, not ${JSON.stringify(value)}`);
  }

  /** `{"label":["a=b"]}`, or as older clients write it `{"label":{"a=b":true}}`. */
  filters(): Filters {
    const given = this.object("filters");
    if (given === undefined) return {};
    const filters: Filters = {};
    for (const name of given.names()) filters[name] = given.isList(name) ? given.texts(name) : given.keys(name);
    return filters;
  }

  /** A parameter that holds a JSON object. */
  object(name: string): JsonParameter | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    return new JsonParameter(parseJson(name, text), name);
  }

  list(name: string): unknown[] {
    const text = this.text(name);
    if (text === undefined) return [];
    const value = parseJson(name, text) ?? [];
    if (Array.isArray(value)) return value;
    throw new BerthError("invalid", `the query parameter ${name} must be a JSON list`);
  }

  /** Seconds since the epoch with a fraction, RFC 3339, or a Go duration before now. */
  time_ms(name: string, now_ms: number, duration_ms: (text: string) => number | undefined): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (/^\d+(\.\d+)?$/.test(text)) return Number(text) === 0 ? undefined : Number(text) * 1000;
    const before_ms = duration_ms(text);
    if (before_ms !== undefined) return now_ms - before_ms;
    const date_ms = Date.parse(/[zZ]|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`);
    if (Number.isNaN(date_ms)) {
      throw new BerthError("invalid", `the query parameter ${name} is no time: ${JSON.stringify(text)}`, {
        hint: "write seconds since 1970, 2024-05-01T10:00:00Z or 10m",
      });
    }
    return date_ms;
  }
}

class JsonParameter extends Fields {
  readonly #value: unknown;

  constructor(value: unknown, name: string) {
    super(value, name);
    this.#value = value;
  }

  isList(name: string): boolean {
    return Array.isArray((this.#value as Record<string, unknown>)[name]);
  }

  override texts(name: string): string[] {
    return super.texts(name) ?? [];
  }

  keys(name: string): string[] {
    return this.object(name)?.names() ?? [];
  }
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BerthError("invalid", `the query parameter ${name} is not JSON: ${JSON.stringify(text.slice(0, 200))}`, {
      cause,
    });
  }
}
