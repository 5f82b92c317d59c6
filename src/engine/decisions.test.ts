import { describe, expect, test } from "vitest";
import type { HealthProbe, HealthState } from "../model/container.ts";
import { effectiveHealthCheck, nextHealth, nextProbeDelay_ms, probeArguments } from "./health-transition.ts";
import { decideRestart, type EndedRun, startsAtBoot } from "./restart-decision.ts";

const run: EndedRun = {
  policy: { name: "always" },
  exitCode: 1,
  stoppedByUser: false,
  restartCount: 0,
  ran_ms: 1,
  previousDelay_ms: 0,
  unhealthy: false,
};
const decide = (more: Partial<EndedRun>) => decideRestart({ ...run, ...more });

describe("restart after an end", () => {
  test("each policy restarts when it says, and never what was stopped by hand", () => {
    expect(decide({ policy: { name: "no" } }).restart).toBe(false);
    expect(decide({}).restart).toBe(true);
    expect(decide({ exitCode: 0 }).restart).toBe(true);
    expect(decide({ stoppedByUser: true }).restart).toBe(false);
    expect(decide({ policy: { name: "on-failure" }, exitCode: 0 }).restart).toBe(false);
    expect(decide({ policy: { name: "on-failure" } }).restart).toBe(true);
    expect(decide({ policy: { name: "on-failure", maximumRetries: 3 }, restartCount: 3 }).restart).toBe(false);
    expect(decide({ policy: { name: "no" }, unhealthy: true }).restart).toBe(true);
  });

  test("the delay doubles up to a minute, and starts anew after a steady run", () => {
    const delays: number[] = [];
    for (let previousDelay_ms = 0, count = 0; count < 12; count++) {
      const decision = decide({ previousDelay_ms });
      previousDelay_ms = decision.restart ? decision.delay_ms : 0;
      delays.push(previousDelay_ms);
    }
    expect(delays.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(delays.at(-1)).toBe(60_000);
    expect(decide({ previousDelay_ms: 60_000, ran_ms: 10_000 })).toEqual({ restart: true, delay_ms: 100 });
  });

  test("at boot, unless-stopped stays down when it was stopped, always comes back", () => {
    const stopped = { ran: true, stoppedByUser: true, exitCode: 0 };
    expect(startsAtBoot({ name: "always" }, stopped)).toBe(true);
    expect(startsAtBoot({ name: "unless-stopped" }, stopped)).toBe(false);
    expect(startsAtBoot({ name: "unless-stopped" }, { ...stopped, stoppedByUser: false })).toBe(true);
    expect(startsAtBoot({ name: "always" }, { ...stopped, ran: false })).toBe(false);
    expect(startsAtBoot({ name: "no" }, { ...stopped, stoppedByUser: false })).toBe(false);
  });
});

describe("health", () => {
  const check = effectiveHealthCheck({ test: ["CMD", "true"], retries: 2, startPeriod_ms: 1000, interval_ms: 50 })!;
  const starting: HealthState = { status: "starting", failingStreak: 0, log: [] };
  const probe = (exitCode: number): HealthProbe => ({ startedAt: "", endedAt: "", exitCode, output: "" });

  test("defaults are Docker's, and NONE switches it off", () => {
    expect(effectiveHealthCheck({ test: ["CMD", "x"] })).toMatchObject({
      interval_ms: 30_000,
      timeout_ms: 30_000,
      retries: 3,
    });
    expect(effectiveHealthCheck({ test: ["NONE"] })).toBeUndefined();
    expect(effectiveHealthCheck(undefined)).toBeUndefined();
  });

  test("failures in the start period do not count, later ones do, and one success is enough", () => {
    expect(nextHealth(starting, probe(1), check, 10)).toMatchObject({ status: "starting", failingStreak: 0 });
    const first = nextHealth(starting, probe(1), check, 2000);
    expect(first).toMatchObject({ status: "starting", failingStreak: 1 });
    const second = nextHealth(first, probe(1), check, 2000);
    expect(second.status).toBe("unhealthy");
    expect(nextHealth(second, probe(0), check, 2000)).toMatchObject({ status: "healthy", failingStreak: 0 });
    expect(nextHealth({ ...starting, status: "healthy" }, probe(1), check, 10).failingStreak).toBe(1);
  });

  test("the last five probes are kept, and the start period has its own interval", () => {
    let state = starting;
    for (let count = 0; count < 8; count++) state = nextHealth(state, probe(count), check, 2000);
    expect(state.log.map(({ exitCode }) => exitCode)).toEqual([3, 4, 5, 6, 7]);
    expect(nextProbeDelay_ms(starting, check, 0)).toBe(5000);
    expect(nextProbeDelay_ms(starting, check, 1000)).toBe(50);
  });

  test("CMD-SHELL goes through the image's shell", () => {
    expect(probeArguments(["CMD-SHELL", "a && b"])).toEqual(["/bin/sh", "-c", "a && b"]);
    expect(probeArguments(["CMD-SHELL", "a"], ["bash", "-c"])).toEqual(["bash", "-c", "a"]);
    expect(probeArguments(["CMD", "a", "b"])).toEqual(["a", "b"]);
  });
});
