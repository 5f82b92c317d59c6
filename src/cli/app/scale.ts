import { BerthError } from "../../base/errors.ts";

/** SERVICE=N, several times. */
export function parseScale(pairs: string[]): Record<string, number> {
  const scale: Record<string, number> = {};
  for (const pair of pairs) {
    const match = /^([^=]+)=(\d+)$/.exec(pair);
    if (match === null)
      throw new BerthError("invalid", `"${pair}" is not SERVICE=NUMBER`, { hint: "for example web=3" });
    scale[match[1]!] = Number(match[2]);
  }
  return scale;
}
