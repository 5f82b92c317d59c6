const unit_ms: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of a Go duration ("1m30s", "1.5h", "300ms", also "2d" and "1w"), or undefined when it is none. "0" is 0. */
export function parseDuration_ms(text: string): number | undefined {
  const signed = text.trim();
  if (signed.length > 64) return undefined;
  const unsigned = signed.replace(/^[-+]/, "");
  if (unsigned === "0") return 0;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|[smhdw]))+$/.test(unsigned)) return undefined;
  let total = 0;
  for (const [, amount, unit] of unsigned.matchAll(/([\d.]+)([^\d.]+)/g)) total += Number(amount) * unit_ms[unit!]!;
  // Kept to whole nanoseconds, as Go has them.
  const rounded = Math.round(total * 1e6) / 1e6;
  return signed.startsWith("-") ? -rounded : rounded;
}

/** As Go writes a duration: "1m30s", "1h0m0s", "1.5s", "250ms", "0s". */
export function showDuration(duration_ms: number): string {
  const sign = duration_ms < 0 ? "-" : "";
  const left = Math.abs(duration_ms);
  if (left === 0) return "0s";
  if (left < 1e-3) return `${sign}${Math.round(left * 1e6)}ns`;
  if (left < 1) return `${sign}${trim(left * 1e3)}µs`;
  if (left < 1_000) return `${sign}${trim(left)}ms`;
  const hours = Math.floor(left / 3_600_000);
  const minutes = Math.floor(left / 60_000) % 60;
  const seconds = `${trim((left - hours * 3_600_000 - minutes * 60_000) / 1_000, 9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

const trim = (value: number, digits = 6) => String(Number(value.toFixed(digits)));
