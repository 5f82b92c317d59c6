import { parseDuration_ms } from "../../model/duration.ts";
import type { Json } from "../../model/service.ts";

/** Canonical values as numbers; undefined stays so. */
export const duration_ms = (text: string | undefined) => (text === undefined ? undefined : parseDuration_ms(text));
export const size_bytes = (text: string | undefined) => (text === undefined ? undefined : Number(text));
export const mode = (text: string | undefined) => (text === undefined ? undefined : Number.parseInt(text, 8));
/** Billionths of a core. */
export const nano = (cpus: number | undefined) => (cpus === undefined ? undefined : Math.round(cpus * 1e9));

export function mapValues<T, U>(
  values: Record<string, T> | undefined,
  change: (value: T, key: string) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [key, change(value, key)]));
}

/** The x-* of a mapping. */
export function extensionsOf(values: object, ...except: string[]): Record<string, Json> {
  const found = Object.entries(values).filter(([key]) => key.startsWith("x-") && !except.includes(key));
  return Object.fromEntries(found);
}

/** Without the keys whose value is undefined, so that equal things are equal as JSON, too. */
export function defined<T extends object>(value: T): T {
  const kept: Partial<T> = {};
  for (const key of Object.keys(value) as (keyof T)[]) if (value[key] !== undefined) kept[key] = value[key];
  // Only keys that may be absent had undefined for a value.
  return kept as T;
}
