import { RE2JS } from "re2js";
import type { ParamSpec } from "../../model/app.ts";
import { parseDuration_ms } from "../../model/duration.ts";
import { parseSize_bytes } from "../../model/size.ts";

/** What is wrong with `value` for the parameter, or undefined when nothing is. Never quotes a secret. */
export function valueProblem(spec: ParamSpec, value: string): string | undefined {
  const shown = spec.type === "secret" ? "the value" : JSON.stringify(value);
  const measure = measureOf(spec, value);
  if (measure === undefined) return `${shown} is not ${wanted(spec)}`;
  if (value.length > 65_536) return "the value is longer than 65536 characters";
  const { min, max } = spec;
  if (min !== undefined && measure < min) return `${shown} is below the least, ${bound(spec, min)}`;
  if (max !== undefined && measure > max) return `${shown} is above the most, ${bound(spec, max)}`;
  if (spec.pattern !== undefined && !matches(spec.pattern, value)) return `${shown} does not match ${spec.pattern}`;
  return undefined;
}

/** What the limits of a parameter bound: its value, bytes, milliseconds or length; undefined when the value is not of its type. */
function measureOf({ type, values }: ParamSpec, value: string): number | undefined {
  switch (type) {
    case "int":
      return /^[-+]?\d{1,15}$/.test(value) ? Number(value) : undefined;
    case "bool":
      return value === "true" || value === "false" ? 0 : undefined;
    case "enum":
      return values?.includes(value) ? 0 : undefined;
    case "size":
      return parseSize_bytes(value);
    case "duration":
      return parseDuration_ms(value);
    default:
      return value.length;
  }
}

function wanted({ type, values = [] }: ParamSpec): string {
  switch (type) {
    case "int":
      return "a whole number";
    case "bool":
      return "true or false";
    case "enum":
      return `one of ${values.join(", ")}`;
    case "size":
      return "a size such as 512m or 2g";
    case "duration":
      return "a duration such as 90s or 1m30s";
    default:
      return "text";
  }
}

function bound({ type }: ParamSpec, value: number): string {
  if (type === "size") return `${value} bytes`;
  if (type === "duration") return `${value} ms`;
  return type === "int" ? String(value) : `${value} characters`;
}

/** RE2 needs no more than linear time, whatever the pattern. Throws where it is none. */
function matches(pattern: string, value: string): boolean {
  return RE2JS.compile(pattern).matches(value);
}

export function isPattern(pattern: string): boolean {
  try {
    RE2JS.compile(pattern);
    return pattern.length <= 1_000;
  } catch {
    return false;
  }
}

/** A value of the type, for reading on while the real one is not known yet. */
export function placeholder({ type, values, min }: ParamSpec): string {
  if (type === "int") return String(min ?? 1);
  if (type === "bool") return "false";
  if (type === "enum") return values?.[0] ?? "";
  if (type === "size") return String(min ?? 1);
  return type === "duration" ? `${min ?? 1}ms` : "x";
}

/** The number that `min: 1g` or `max: 5m` stands for, for a parameter of this type. */
export function parseBound(type: ParamSpec["type"], text: string): number | undefined {
  if (type === "size") return parseSize_bytes(text);
  if (type === "duration") return parseDuration_ms(text);
  return /^[-+]?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Yes and no in all their forms become true and false; all else stays. */
export function normalValue(type: ParamSpec["type"], given: string): string {
  if (type !== "bool") return given;
  const word = given.toLowerCase();
  if (["yes", "y", "on", "1", "t", "true"].includes(word)) return "true";
  return ["no", "n", "off", "0", "f", "false"].includes(word) ? "false" : given;
}
