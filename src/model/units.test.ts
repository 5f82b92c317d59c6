import { expect, test } from "vitest";
import { parseDuration_ms, showDuration } from "./duration.ts";
import { parseSize_bytes } from "./size.ts";

test("durations are read and written as Go does, with days and weeks, too", () => {
  for (const [text, value, shown] of [
    ["1m30s", 90_000, "1m30s"],
    ["1.5h", 5_400_000, "1h30m0s"],
    ["300ms", 300, "300ms"],
    ["1500us", 1.5, "1.5ms"],
    ["2d", 172_800_000, "48h0m0s"],
    ["1w", 604_800_000, "168h0m0s"],
    ["0", 0, "0s"],
    ["250ns", 0.00025, "250ns"],
    ["1h0m0.5s", 3_600_500, "1h0m0.5s"],
  ] as const) {
    expect(parseDuration_ms(text), text).toBe(value);
    expect(showDuration(value)).toBe(shown);
    expect(parseDuration_ms(shown)).toBe(value);
  }
  for (const text of ["", "10", "1x", "s", "1 s", "--1s", "1s2"]) expect(parseDuration_ms(text), text).toBeUndefined();
});

test("sizes are powers of 1024, whatever the case", () => {
  expect(["512m", "1.5g", "10 kB", "100", "2GiB", "1b", "-1"].map(parseSize_bytes)).toEqual([
    512 << 20,
    1_610_612_736,
    10_240,
    100,
    2_147_483_648,
    1,
    -1,
  ]);
  for (const text of ["", "m", "1x", "1.m", "-2m", "1e3", "9".repeat(20)])
    expect(parseSize_bytes(text), text).toBeUndefined();
});
