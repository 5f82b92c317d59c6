import { BerthError } from "../../base/errors.ts";
import type { AppParam, ParamSource, ParamSpec } from "../../model/app.ts";
import { lookupIn } from "../3-interpolate/template.ts";
import type { Mark } from "../node.ts";
import type { Problems } from "../problems.ts";
import { nearest } from "../suggest.ts";
import { normalValue, placeholder, valueProblem } from "./value.ts";

/** Values given from outside, by full name: "size", "orders.size". */
export interface GivenParams {
  set: Record<string, string>;
  answers: Record<string, string>;
  environment: Record<string, string>;
}

/** All parameters of an app and of the apps nested in it, with their values as they become known. */
export class ParamBook {
  readonly list: AppParam[] = [];
  readonly missing: ParamSpec[] = [];
  readonly #given: GivenParams;
  readonly #problems: Problems;
  readonly #values = new Map<string, string>();

  constructor(given: GivenParams, problems: Problems) {
    this.#given = given;
    this.#problems = problems;
  }

  /**
   * The value of a parameter: --set, else the answers file, else the environment (BERTH_PARAM_NAME, or its own name), else what the
   * including app gives, else its default. What has none is `missing`, and stands in with a value of its type until it is asked for.
   */
  resolve(spec: ParamSpec, bound: string | undefined, at: Mark): string {
    const known = this.#values.get(spec.name);
    if (known !== undefined) return known;
    const found = this.#find(spec, bound);
    if (!found) {
      this.missing.push(spec);
      const value = placeholder(spec);
      this.#values.set(spec.name, value);
      return value;
    }
    const [given, source] = found;
    const value = normalValue(spec.type, given);
    const problem = valueProblem(spec, value);
    if (problem) this.#problems.add(at, ["x-berth", "params", spec.name], `${problem} (from ${origin(source, spec)})`);
    this.#values.set(spec.name, value);
    this.list.push({ ...spec, value: spec.type === "secret" ? undefined : value, source });
    return value;
  }

  #find(spec: ParamSpec, bound: string | undefined): [string, ParamSource] | undefined {
    const { name } = spec;
    const set = lookupIn(this.#given.set);
    const answers = lookupIn(this.#given.answers);
    const environment = lookupIn(this.#given.environment);
    const own = name.includes(".") ? undefined : environment(name);
    const candidates: [string | undefined, ParamSource][] = [
      [set(name), "set"],
      [answers(name), "answers"],
      [environment(variableOf(name)) ?? own, "environment"],
      [bound, "parent"],
      [spec.default, "default"],
    ];
    for (const [value, source] of candidates) if (value !== undefined) return [value, source];
    return undefined;
  }

  /** Throws `invalid` for a --set or an answer that no parameter has the name of. */
  checkAllUsed(): void {
    for (const [origin, given] of [
      ["--set", this.#given.set],
      ["the answers file", this.#given.answers],
    ] as const) {
      const stray = Object.keys(given).find(name => !this.#values.has(name));
      if (stray === undefined) continue;
      const near = nearest(stray, this.#values.keys());
      const all = [...this.#values.keys()].sort().join(", ");
      throw new BerthError("invalid", `${origin} gives ${stray}, which the app declares no parameter for`, {
        hint: near
          ? `did you mean ${near}?`
          : all === ""
            ? "declare it under x-berth.params"
            : `its parameters are ${all}`,
      });
    }
  }
}

/** orders.db-size -> BERTH_PARAM_ORDERS_DB_SIZE */
export function variableOf(name: string): string {
  return `BERTH_PARAM_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;
}

function origin(source: ParamSource, { name }: ParamSpec): string {
  const origins: Record<ParamSource, string> = {
    set: `--set ${name}`,
    answers: "the answers file",
    environment: "the environment",
    parent: "the including app",
    default: "its default",
  };
  return origins[source];
}
