import { describe, expect, it } from "vitest";
import { appOf, dependency } from "../../src/testing/apps.ts";
import { OneHost } from "./one-host.ts";

const app = (image: string) =>
  appOf("shop", {
    db: { image: "db:1" },
    web: {
      image,
      deploy: { mode: "replicated", replicas: 2, labels: {} },
      dependsOn: { db: dependency({ condition: "service_healthy" }) },
    },
  });
const behaviours = { "db:1": { health: { after_ms: 300, status: "healthy" as const } } };
const images = (host: OneHost) =>
  host.world
    .running()
    .map(({ spec }) => spec.image)
    .sort();

describe("a full disk under the store", () => {
  it("refuses a change with a clear error, and leaves all that runs as it is", async () => {
    await using host = new OneHost(1, { behaviours });
    await host.boot();
    await host.finish(host.apps.up(app("web:1")));
    host.disk.full = true;
    const full = { code: "exhausted", message: expect.stringContaining("disk is full") };
    await expect(host.finish(host.apps.up(app("web:2")))).rejects.toMatchObject(full);
    await expect(host.finish(host.apps.down("shop"))).rejects.toMatchObject(full);
    await host.clock.advance(60_000);
    expect(images(host)).toEqual(["db:1", "web:1", "web:1"]);
    host.disk.full = false;
    await host.finish(host.apps.up(app("web:2")));
    expect(images(host)).toEqual(["db:1", "web:2", "web:2"]);
  });

  it("at any instant of an update holds it up, and it goes on by itself when there is space again", async () => {
    let fills = 0;
    for (let at = 1; at < 200; at++) {
      await using host = new OneHost(at, { behaviours });
      await host.boot();
      await host.finish(host.apps.up(app("web:1")));
      const before = host.power.steps;
      const followed = host.follow(host.apps.up(app("web:2"), { timeout_ms: 300_000 }));
      await host.until(() => followed.done || host.power.steps >= before + at);
      if (followed.done) break;
      host.disk.full = true;
      await host.clock.advance(20_000);
      host.disk.full = false;
      await host.until(() => followed.done, 600_000);
      if (followed.error) {
        expect(followed.error).toMatchObject({ code: "exhausted" });
        await host.finish(host.apps.up(app("web:2"), { waitForOthers: true }));
      }
      await host.until(() => host.world.containers.size === 3);
      expect(images(host)).toEqual(["db:1", "web:2", "web:2"]);
      expect(host.world.violations).toEqual([]);
      fills++;
    }
    expect(fills).toBeGreaterThan(20);
  });
});
