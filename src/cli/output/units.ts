import { BerthError } from "../../base/errors.ts";

/** Decimal sizes as docker prints them: 1.24kB, 77.9MB. */
export function humanSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}

/** Binary sizes, for memory: 1.95GiB. */
export function binarySize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}

/** Docker's words for a span: Less than a second, 5 seconds, About a minute, 3 weeks. */
export function humanDuration(span_ms: number): string {
  const seconds = Math.floor(span_ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.round(seconds / 3600);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}

export function ago(time: string | undefined, now_ms: number): string {
  return time === undefined ? "N/A" : `${humanDuration(now_ms - Date.parse(time))} ago`;
}

const factors: Record<string, number> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** "512m", "1.5g", "64kib": binary factors, as docker reads them. `what` names the flag in the error. */
export function parseSize(text: string, what: string): number {
  const match = /^(-?\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null)
    throw new BerthError("invalid", `${what}: "${text}" is not a size`, { hint: "write it like 512m, 1.5g or 65536" });
  return Math.floor(Number(match[1]) * factors[match[2]!.toLowerCase()]!);
}

const durations_ms: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Go's durations: 300ms, 1m30s, 1.5h. A bare number is seconds. */
export function parseDuration_ms(text: string, what: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d))+$/.test(text)) {
    throw new BerthError("invalid", `${what}: "${text}" is not a duration`, {
      hint: "write it like 500ms, 30s or 1m30s",
    });
  }
  let sum_ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g))
    sum_ms += Number(number) * durations_ms[unit!]!;
  return sum_ms;
}

/** RFC 3339, seconds since the epoch, or a span back from now (10m). Milliseconds since the epoch. */
export function parseTime_ms(text: string, now_ms: number, what: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  if (!Number.isNaN(date)) return date;
  return now_ms - parseDuration_ms(text, what);
}
