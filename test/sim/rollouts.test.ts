import { describe, expect, it } from "vitest";
import type { UpdateConfig } from "../../src/model/deploy.ts";
import type { Service } from "../../src/model/service.ts";
import { appOf } from "../../src/testing/apps.ts";
import type { Behaviour } from "../../src/testing/engine.ts";
import { OneHost } from "./one-host.ts";

const behaviours: Record<string, Behaviour> = {
  "web:1": { health: { after_ms: 200, status: "healthy" } },
  "web:2": { health: { after_ms: 200, status: "healthy" } },
  "bad:1": { exits: { after_ms: 50, code: 1 } },
  "sick:1": { health: { after_ms: 200, status: "unhealthy", output: "500" } },
  "broken:1": { startError: "exec: no such file" },
};

function web(image: string, updateConfig: UpdateConfig, more: Partial<Service> = {}): Record<string, Partial<Service>> {
  return { web: { image, deploy: { mode: "replicated", replicas: 4, labels: {}, updateConfig }, ...more } };
}

async function at(updateConfig: UpdateConfig, options: { twoAtOnce?: Set<string>; more?: Partial<Service> } = {}) {
  const host = new OneHost(1, { behaviours, twoAtOnce: options.twoAtOnce });
  await host.boot();
  await host.finish(host.apps.up(appOf("shop", web("web:1", updateConfig, options.more)), { wait: "healthy" }));
  host.world.journal.length = 0;
  return host;
}

const images = (host: OneHost) =>
  host.world
    .running()
    .map(({ spec }) => spec.image)
    .sort();
const update = (host: OneHost, image: string, config: UpdateConfig, more: Partial<Service> = {}) =>
  host.finish(host.apps.up(appOf("shop", web(image, config, more)), { wait: "healthy" }), 600_000);

/** Fewest running containers at any moment of the journal, beginning with `from`. */
function fewest(journal: string[], from: number): number {
  let now = from;
  let least = from;
  for (const line of journal) {
    if (line.startsWith("start")) now++;
    if (/^(stop|exit)/.test(line)) now--;
    least = Math.min(least, now);
  }
  return least;
}

describe("an update", () => {
  it("replaces one task at a time, each prepared before the old one stops", async () => {
    await using host = await at({});
    await update(host, "web:2", {});
    expect(images(host)).toEqual(Array(4).fill("web:2"));
    expect(fewest(host.world.journal, 4)).toBe(3);
    const stop = host.world.journal.findIndex(line => line.startsWith("stop"));
    const create = host.world.journal.findIndex(line => line.startsWith("create"));
    expect(create).toBeLessThan(stop);
    expect(host.world.containers.size).toBe(4);
    expect(host.running()).toEqual(["shop-web-1", "shop-web-2", "shop-web-3", "shop-web-4"]);
    expect(host.world.violations).toEqual([]);
  });

  it("starts the new one first where that is asked for, and never has fewer", async () => {
    const config: UpdateConfig = { order: "start-first", parallelism: 2 };
    await using host = await at(config, { twoAtOnce: new Set(["shop/web"]) });
    await update(host, "web:2", config);
    expect(fewest(host.world.journal, 4)).toBe(4);
    expect(host.running()).toEqual(["shop-web-1", "shop-web-2", "shop-web-3", "shop-web-4"]);
  });

  it("stops first all the same where the host's port can be held by one only", async () => {
    const more: Partial<Service> = {
      ports: [{ containerPort: 80, hostPort: 8080, protocol: "tcp", mode: "host" }],
    };
    const config: UpdateConfig = { order: "start-first" };
    await using host = new OneHost(1, { behaviours });
    await host.boot();
    const one = (image: string) =>
      appOf("shop", {
        web: { image, ...more, deploy: { mode: "replicated", replicas: 1, labels: {}, updateConfig: config } },
      });
    await host.finish(host.apps.up(one("web:1")));
    await host.finish(host.apps.up(one("web:2")));
    expect(host.world.violations).toEqual([]);
    expect(images(host)).toEqual(["web:2"]);
  });

  it("waits between groups", async () => {
    await using host = await at({ parallelism: 2, delay_ms: 30_000 });
    const begun_ms = host.clock.now_ms();
    await update(host, "web:2", { parallelism: 2, delay_ms: 30_000 });
    expect(host.clock.now_ms() - begun_ms).toBeGreaterThan(30_000);
  });

  it.each(["bad:1", "sick:1", "broken:1", "missing"])(
    "pauses when a new task fails (%s), and the rest stays as it was",
    async image => {
      await using host = await at({});
      if (image === "missing") host.world.behaviours["missing"] = { startError: "no such image" };
      await expect(update(host, image, {})).rejects.toThrow(/update of web is paused/);
      await host.clock.advance(60_000);
      expect(images(host).filter(running => running === "web:1")).toHaveLength(3);
      const [why] = await host.apps.why("shop", "web");
      expect(why!.sentences.join()).toMatch(/is paused/);
      expect((await host.apps.history("shop"))[0]).toMatchObject({ outcome: "failed" });
    },
  );

  it("goes back by itself where that is asked for, without touching what still runs well", async () => {
    const config: UpdateConfig = { failureAction: "rollback" };
    await using host = await at(config);
    const before = host.world.running().map(({ id }) => id);
    const events = await update(host, "bad:1", config);
    expect(events.at(-1)).toMatchObject({ outcome: "rolled-back", message: expect.stringContaining("version 1") });
    expect(images(host)).toEqual(Array(4).fill("web:1"));
    const kept = host.world.running().filter(({ id }) => before.includes(id));
    expect(kept).toHaveLength(3);
    await host.clock.advance(60_000);
    expect(host.world.containers.size).toBe(4);
    expect((await host.apps.history("shop"))[0]).toMatchObject({ outcome: "rolled-back" });
  });

  it("start-first with rollback kills no healthy task", async () => {
    const config: UpdateConfig = { failureAction: "rollback", order: "start-first", parallelism: 2 };
    await using host = await at(config, { twoAtOnce: new Set(["shop/web"]) });
    const before = host.world
      .running()
      .map(({ id }) => id)
      .sort();
    await update(host, "sick:1", config);
    await host.until(() => host.world.containers.size === 4);
    expect(
      host.world
        .running()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(before);
  });

  it("goes on as long as failures stay within the ratio", async () => {
    const config: UpdateConfig = { failureAction: "pause", maxFailureRatio: 0.5, parallelism: 1 };
    await using host = await at(config);
    // The first new task fails, later ones do not.
    host.world.behaviours["flaky:1"] = { exits: { after_ms: 50, code: 1 } };
    const followed = host.follow(host.apps.up(appOf("shop", web("flaky:1", config, { restart: { name: "always" } }))));
    await host.until(() => host.world.journal.some(line => line.startsWith("exit")));
    host.world.behaviours["flaky:1"] = {};
    await host.until(() => followed.done, 600_000);
    expect(followed.error).toBeUndefined();
    await host.until(() => images(host).every(image => image === "flaky:1"), 600_000);
  });

  it("tries again with the next `up`", async () => {
    await using host = await at({});
    await expect(update(host, "bad:1", {})).rejects.toThrow();
    host.world.behaviours["bad:1"] = {};
    await update(host, "bad:1", {});
    expect(images(host)).toEqual(Array(4).fill("bad:1"));
  });
});
