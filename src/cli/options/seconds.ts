import { BerthError } from "../../base/errors.ts";

/** Whole seconds as milliseconds; negative stays -1 (for ever). */
export function parseSeconds_ms(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text)) throw new BerthError("invalid", `${what}: "${text}" is not a whole number of seconds`);
  return Number(text) < 0 ? -1 : Number(text) * 1000;
}
