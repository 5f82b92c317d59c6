import { BerthError } from "../../base/errors.ts";

/**
 * Reads a JSON object from a client as Docker's own decoder does: names in any case, null as absent, what is not asked for is not looked at. A value of
 * the wrong type throws `invalid`, naming the field.
 */
export class Fields {
  readonly #values: Record<string, unknown>;
  readonly #path: string;
  #folded: Map<string, unknown> | undefined;

  constructor(value: unknown, path = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new BerthError("invalid", path ? `${path} must be an object` : "the request body must be a JSON object");
    }
    this.#values = { ...value };
    this.#path = path;
  }

  text(name: string): string | undefined {
    return this.#typed(name, "text", (value): value is string => typeof value === "string");
  }

  flag(name: string): boolean | undefined {
    return this.#typed(name, "true or false", (value): value is boolean => typeof value === "boolean");
  }

  number(name: string): number | undefined {
    const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value);
    return this.#typed(name, "a whole number", isNumber);
  }

  /** A single text is taken as a list of one, as Docker does for commands. */
  texts(name: string): string[] | undefined {
    const value = this.#get(name);
    if (typeof value === "string") return [value];
    const isTexts = (list: unknown): list is string[] =>
      Array.isArray(list) && list.every(entry => typeof entry === "string");
    return this.#typed(name, "a list of texts", isTexts);
  }

  numbers(name: string): number[] {
    const isNumbers = (list: unknown): list is number[] =>
      Array.isArray(list) && list.every(entry => Number.isSafeInteger(entry));
    return this.#typed(name, "a list of whole numbers", isNumbers) ?? [];
  }

  /** {"key": "value"} */
  map(name: string): Record<string, string> | undefined {
    const fields = this.object(name);
    if (fields === undefined) return undefined;
    return Object.fromEntries(fields.names().map(key => [key, fields.text(key) ?? ""]));
  }

  object(name: string): Fields | undefined {
    const value = this.#get(name);
    return value === undefined ? undefined : new Fields(value, this.path(name));
  }

  objects(name: string): Fields[] {
    const list = this.#typed(name, "a list", (value): value is unknown[] => Array.isArray(value)) ?? [];
    return list.map((entry, index) => new Fields(entry, `${this.path(name)}[${index}]`));
  }

  names(): string[] {
    return Object.keys(this.#values);
  }

  path(name: string): string {
    return this.#path ? `${this.#path}.${name}` : name;
  }

  /** Whether something that means anything is given: not null, false, 0, "", [] or {}. */
  asksFor(name: string): boolean {
    const value = this.#get(name);
    if (typeof value === "object") return Object.keys(value ?? {}).length > 0;
    return Boolean(value);
  }

  #get(name: string): unknown {
    let value = this.#values[name];
    if (value === undefined) {
      this.#folded ??= new Map(Object.entries(this.#values).map(([key, entry]) => [key.toLowerCase(), entry]));
      value = this.#folded.get(name.toLowerCase());
    }
    return value === null ? undefined : value;
  }

  #typed<T>(name: string, kind: string, test: (value: unknown) => value is T): T | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (test(value)) return value;
    throw new BerthError("invalid", `${this.path(name)} must be ${kind}, not ${JSON.stringify(value)?.slice(0, 80)}`);
  }
}
