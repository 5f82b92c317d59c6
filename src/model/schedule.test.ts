import { expect, test } from "vitest";
import { cronProblem, isTimeZone, nextTime_ms } from "./schedule.ts";

/** The next times after one, in UTC as written by toISOString without seconds. */
function next(cron: string, zone: string, after: string, count = 1): string[] {
  const times: string[] = [];
  let at = Date.parse(`${after}Z`);
  for (let index = 0; index < count; index++) {
    at = nextTime_ms(cron, zone, at) ?? Number.NaN;
    times.push(Number.isNaN(at) ? "never" : new Date(at).toISOString().slice(0, 16));
  }
  return times;
}

test("fields take numbers, ranges, lists, steps and names", () => {
  expect(next("*/20 * * * *", "UTC", "2026-01-01T00:00", 4)).toEqual([
    "2026-01-01T00:20",
    "2026-01-01T00:40",
    "2026-01-01T01:00",
    "2026-01-01T01:20",
  ]);
  expect(next("5,10-12 3 * * *", "UTC", "2026-01-01T03:10", 3)).toEqual([
    "2026-01-01T03:11",
    "2026-01-01T03:12",
    "2026-01-02T03:05",
  ]);
  expect(next("0 9 * * mon-fri", "UTC", "2026-01-02T10:00")).toEqual(["2026-01-05T09:00"]);
  expect(next("0 0 1 JAN,jul *", "UTC", "2026-01-01T00:00")).toEqual(["2026-07-01T00:00"]);
  expect(next("0 0 * * 7", "UTC", "2026-01-01T00:00")).toEqual(["2026-01-04T00:00"]);
  expect(next("30/10 * * * *", "UTC", "2026-01-01T00:00", 3)).toEqual([
    "2026-01-01T00:30",
    "2026-01-01T00:40",
    "2026-01-01T00:50",
  ]);
  expect(next("@weekly", "UTC", "2026-01-01T00:00")).toEqual(["2026-01-04T00:00"]);
});

test("where both day fields are given, either is enough", () => {
  expect(next("0 0 13 * 5", "UTC", "2026-01-01T00:00", 3)).toEqual([
    "2026-01-02T00:00",
    "2026-01-09T00:00",
    "2026-01-13T00:00",
  ]);
});

test("the 29th of February waits for its year; dates that never are are refused", () => {
  expect(next("0 0 29 2 *", "UTC", "2026-01-01T00:00")).toEqual(["2028-02-29T00:00"]);
  expect(cronProblem("0 0 31 2 *")).toBe("no date fits it");
});

test("times are those of the zone's clocks", () => {
  expect(next("0 3 * * *", "Asia/Tokyo", "2026-01-01T00:00")).toEqual(["2026-01-01T18:00"]);
  expect(next("0 3 * * *", "America/New_York", "2026-07-01T00:00")).toEqual(["2026-07-01T07:00"]);
  expect(next("15 12 * * *", "Asia/Kathmandu", "2026-01-01T00:00")).toEqual(["2026-01-01T06:30"]);
});

test("where clocks go forward, a fixed time that they skip runs just after; every hour stays every hour", () => {
  // Paris, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
  expect(next("30 2 * * *", "Europe/Paris", "2026-03-28T02:00", 2)).toEqual(["2026-03-29T01:30", "2026-03-30T00:30"]);
  expect(next("30 * * * *", "Europe/Paris", "2026-03-29T00:00", 3)).toEqual([
    "2026-03-29T00:30",
    "2026-03-29T01:30",
    "2026-03-29T02:30",
  ]);
  expect(next("0 3 * * *", "Europe/Paris", "2026-03-28T12:00", 2)).toEqual(["2026-03-29T01:00", "2026-03-30T01:00"]);
});

test("where clocks go back, a fixed time runs once, and every hour counts both", () => {
  // Paris, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
  expect(next("30 2 * * *", "Europe/Paris", "2026-10-24T12:00", 2)).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
  expect(next("30 * * * *", "Europe/Paris", "2026-10-24T23:45", 3)).toEqual([
    "2026-10-25T00:30",
    "2026-10-25T01:30",
    "2026-10-25T02:30",
  ]);
});

test("a midnight that clocks skip runs at the day's first hour", () => {
  // Santiago, 6 September 2026: 00:00 becomes 01:00 at 04:00 UTC.
  expect(next("0 0 * * *", "America/Santiago", "2026-09-05T12:00", 2)).toEqual([
    "2026-09-06T04:00",
    "2026-09-07T03:00",
  ]);
});

test("what is no expression is told why", () => {
  expect(cronProblem("* * * *")).toBe("it has 4 fields, not 5: minute hour day month weekday");
  expect(cronProblem("60 * * * *")).toBe('the minute "60" is not *, or numbers from 0 to 59 with , - and /');
  expect(cronProblem("* * * * 5-1")).toContain("the weekday");
  expect(cronProblem("*/0 * * * *")).toContain("the minute");
  expect(cronProblem("@often")).toContain("it is none of @hourly");
  expect(cronProblem("")).toBe("it has 0 fields, not 5: minute hour day month weekday");
  expect(isTimeZone("Europe/Paris")).toBe(true);
  expect(isTimeZone("Europe/Atlantis")).toBe(false);
  expect(() => nextTime_ms("x", "UTC", 0)).toThrow(RangeError);
});

test("looking years ahead is quick", () => {
  const before = performance.now();
  expect(next("59 23 29 2 *", "Europe/Paris", "2026-03-01T00:00")).toEqual(["2028-02-29T22:59"]);
  expect(performance.now() - before).toBeLessThan(500);
});
