import { BerthError } from "../../base/errors.ts";

/** Six pairs of hex digits with ":" or "-" between them; throws `invalid`. */
export function macBytes(text: string): Buffer {
  const pairs = text.split(/[:-]/);
  if (pairs.length !== 6 || !pairs.every(pair => /^[0-9a-f]{1,2}$/i.test(pair))) {
    throw new BerthError("invalid", `"${text}" is not a MAC address`, { hint: "write it as 02:42:ac:11:00:02" });
  }
  return Buffer.from(pairs.map(pair => Number.parseInt(pair, 16)));
}

export function macText(bytes: Buffer): string {
  return [...bytes].map(byte => byte.toString(16).padStart(2, "0")).join(":");
}
