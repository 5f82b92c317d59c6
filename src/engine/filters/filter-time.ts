import { BerthError } from "../../base/errors.ts";

const unit_ms: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 60e3, h: 3600e3 };

/** The `until` of prunes: a Go duration before now ("10m", "1h30m"), Unix seconds, or RFC 3339. Milliseconds since the epoch. */
export function filterTime_ms(text: string, now_ms: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length > 0 && parts.map(part => part[0]).join("") === text) {
    return now_ms - parts.reduce((sum, part) => sum + Number(part[1]) * unit_ms[part[2]!]!, 0);
  }
  const date_ms = Date.parse(text);
  if (!Number.isNaN(date_ms)) return date_ms;
  throw new BerthError("invalid", `until=${text} is no time`, {
    hint: "give a duration before now (10m, 1h30m), Unix seconds, or a date such as 2026-01-31T12:00:00Z",
  });
}
