import { describe, expect, it } from "vitest";
import type { Service } from "../../src/model/service.ts";
import { appOf, dependency } from "../../src/testing/apps.ts";
import type { Behaviour } from "../../src/testing/engine.ts";
import { OneHost } from "./one-host.ts";

const behaviours: Record<string, Behaviour> = {
  "crash:1": { exits: { after_ms: 100, code: 3 } },
  "done:1": { exits: { after_ms: 100, code: 0 } },
  "db:1": { health: { after_ms: 500, status: "healthy" } },
  "sick:1": { health: { after_ms: 500, status: "unhealthy", output: "no answer" } },
};

async function running(services: Record<string, Partial<Service>>, options = {}): Promise<OneHost> {
  const host = new OneHost(1, { behaviours, ...options });
  await host.boot();
  host.follow(host.apps.up(appOf("shop", services)));
  await host.until(() => host.world.journal.some(line => line.startsWith("start")));
  return host;
}

const starts = (host: OneHost) => host.world.journal.filter(line => line.startsWith("start")).length;
const restartPolicy = (policy: NonNullable<Service["deploy"]>["restartPolicy"]) => ({
  deploy: { mode: "replicated" as const, labels: {}, restartPolicy: policy },
});

describe("a container that ends by itself", () => {
  it("stays ended where its restart policy is no, and says so", async () => {
    await using host = await running({ web: { image: "crash:1" } });
    await host.clock.advance(60_000);
    expect(starts(host)).toBe(1);
    const [why] = await host.apps.why("shop", "web");
    expect(why).toMatchObject({ state: "failed" });
    expect(why!.sentences.join()).toMatch(/it ended with code 3; its restart policy is no/);
  });

  it("is started again in its container, with growing delays, where it is always", async () => {
    await using host = await running({ web: { image: "crash:1", restart: { name: "always" } } });
    await host.clock.advance(20_000);
    expect(starts(host)).toBeGreaterThan(5);
    expect(starts(host)).toBeLessThan(12);
    expect(host.world.containers.size).toBe(1);
    expect((await host.apps.ps("shop"))[0]!.restarts).toBeGreaterThan(4);
  });

  it("stops after the attempts that on-failure allows", async () => {
    await using host = await running({ web: { image: "crash:1", restart: { name: "on-failure", maximumRetries: 3 } } });
    await host.clock.advance(300_000);
    expect(starts(host)).toBe(4);
  });

  it("is not restarted on success where the policy is on-failure", async () => {
    await using host = await running({ web: { image: "done:1", restart: { name: "on-failure" } } });
    await host.clock.advance(60_000);
    expect(starts(host)).toBe(1);
  });

  it("honours deploy.restart_policy: delay and attempts", async () => {
    const policy = { condition: "any" as const, delay_ms: 3000, maxAttempts: 2 };
    await using host = await running({ web: { image: "done:1", ...restartPolicy(policy) } });
    await host.clock.advance(2500);
    expect(starts(host)).toBe(1);
    await host.clock.advance(1500);
    expect(starts(host)).toBe(2);
    await host.clock.advance(60_000);
    expect(starts(host)).toBe(3);
  });

  it("forgets attempts that are older than the window", async () => {
    const policy = { condition: "any" as const, delay_ms: 5000, maxAttempts: 2, window_ms: 8000 };
    await using host = await running({ web: { image: "crash:1", ...restartPolicy(policy) } });
    await host.clock.advance(60_000);
    expect(starts(host)).toBeGreaterThan(6);
  });

  it("is left alone when somebody stopped it by hand, until `up` or `start`", async () => {
    await using host = await running({ web: { restart: { name: "always" } } });
    await host.until(() => host.running().length === 1);
    const [id] = host.world.containers.keys();
    void host.world.session(host.power).containers.stop(id!);
    await host.clock.advance(30_000);
    expect(host.running()).toEqual([]);
    const [why] = await host.apps.why("shop", "web");
    expect(why!.sentences.join()).toContain("stopped by hand");
    await host.finish(host.apps.up(appOf("shop", { web: { restart: { name: "always" } } })));
    expect(host.running()).toEqual(["shop-web-1"]);
    expect(host.world.containers.size).toBe(1);
  });

  it("is restarted when it is unhealthy, which Docker never does", async () => {
    await using host = await running({ web: { image: "sick:1", restart: { name: "always" } } });
    await host.until(() => starts(host) >= 3);
    expect(host.world.containers.size).toBe(1);
    const [view] = await host.apps.ps("shop");
    expect(view!.cause).toContain("it is unhealthy: no answer");
    expect(host.world.violations).toEqual([]);
  });

  it("keeps five tasks of history a slot", async () => {
    await using host = await running({ web: { image: "crash:1", restart: { name: "always" } } });
    await host.until(() => starts(host) >= 9, 600_000);
    await host.clock.advance(1000);
    const all = await host.apps.ps("shop", { all: true });
    expect(all.length).toBeLessThanOrEqual(6);
    expect(all.at(-1)!.state).toBe("removed");
  });
});

describe("a host that restarted", () => {
  it("has its apps again, in the order of their dependencies, whatever their restart policies", async () => {
    const healthy = dependency({ condition: "service_healthy" });
    const services = { db: { image: "db:1" }, web: { dependsOn: { db: healthy } }, once: { image: "done:1" } };
    await using host = await running(services);
    await host.until(() => host.running().length === 2 && host.world.journal.includes("exit shop-once-1 0"));
    await host.clock.advance(10_000);
    host.kill();
    host.world.reboot();
    host.world.journal.length = 0;
    await host.boot({ reboot: true });
    await host.until(() => host.running().length === 2);
    expect(host.world.journal.filter(line => line.startsWith("start"))).toEqual([
      "start shop-db-1",
      "start shop-web-1",
    ]);
    expect(host.world.journal.filter(line => line.startsWith("create"))).toEqual([]);
    await host.clock.advance(60_000);
    expect(host.world.violations).toEqual([]);
    expect(host.running()).toHaveLength(2);
  });

  it("leaves stopped what was stopped", async () => {
    await using host = await running({ web: {}, db: {} });
    await host.until(() => host.running().length === 2);
    await host.finish(host.apps.stop("shop", { services: ["web"] }));
    host.kill();
    host.world.reboot();
    await host.boot({ reboot: true });
    await host.until(() => host.running().length === 1);
    await host.clock.advance(10_000);
    expect(host.running()).toEqual(["shop-db-1"]);
  });
});

describe("jobs and schedules", () => {
  it("runs a job to its end, once", async () => {
    const deploy = { mode: "replicated-job" as const, replicas: 2, labels: {} };
    await using host = await running({ job: { image: "done:1", deploy } });
    await host.clock.advance(60_000);
    expect(starts(host)).toBe(2);
    expect((await host.apps.ps("shop")).map(({ state }) => state)).toEqual(["complete", "complete"]);
  });

  it("runs by the clock, keeps the history that is asked for, and skips what overlaps", async () => {
    const schedule = {
      cron: "*/5 * * * *",
      timeZone: "UTC",
      overlap: "forbid" as const,
      startingDeadline_ms: 0,
      keepSucceeded: 2,
      keepFailed: 1,
      suspended: false,
    };
    await using host = new OneHost(1, {
      behaviours: { ...behaviours, "slow:1": { exits: { after_ms: 420_000, code: 0 } } },
    });
    await host.boot();
    const app = appOf("shop", { backup: { image: "done:1", schedule }, slow: { image: "slow:1", schedule } });
    await host.finish(host.apps.up(app));
    expect(host.world.journal.filter(line => line.startsWith("start"))).toEqual([]);
    await host.clock.advance(21 * 60_000);
    const count = (name: string) => host.world.journal.filter(line => line.startsWith(`start shop-${name}`)).length;
    expect([count("backup"), count("slow")]).toEqual([4, 2]);
    const kept = await host.apps.ps("shop", { services: ["backup"] });
    expect(kept.map(({ name }) => name)).toEqual(["shop-backup-3", "shop-backup-4"]);
    const [why] = await host.apps.why("shop", "slow");
    expect(why!.sentences.join()).toMatch(/was skipped: the one before is not over/);
  });
});
