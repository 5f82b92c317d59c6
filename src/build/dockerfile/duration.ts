const units_ns: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Go's time.ParseDuration, as HEALTHCHECK takes it ("1m30s"); nanoseconds, or undefined when it is none. */
export function parseDuration_ns(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/.test(text))
    return undefined;
  let total = 0;
  for (const match of text.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g))
    total += Number(match[1]) * units_ns[match[2]!]!;
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined;
}
