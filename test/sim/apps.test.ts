import { describe, expect, it } from "vitest";
import type { Service } from "../../src/model/service.ts";
import { appOf, dependency } from "../../src/testing/apps.ts";
import type { Behaviour } from "../../src/testing/engine.ts";
import { OneHost } from "./one-host.ts";

const healthy = dependency({ condition: "service_healthy" });

const shop: Record<string, Partial<Service>> = {
  db: { image: "db:1" },
  web: { image: "web:1", deploy: { mode: "replicated", replicas: 3, labels: {} }, dependsOn: { db: healthy } },
};

const behaviours: Record<string, Behaviour> = { "db:1": { health: { after_ms: 500, status: "healthy" } } };

describe("an app on one host", () => {
  it("comes up in order, does nothing the second time, and goes in reverse", async () => {
    await using host = new OneHost(1, { behaviours });
    await host.boot();
    const app = appOf("shop", shop);
    const events = await host.finish(host.apps.up(app));
    expect(events.at(-1)).toMatchObject({ type: "done", outcome: "succeeded" });
    expect(host.running()).toEqual(["shop-db-1", "shop-web-1", "shop-web-2", "shop-web-3"]);
    const starts = host.world.journal.filter(line => line.startsWith("start"));
    expect(starts[0]).toBe("start shop-db-1");
    const waiting = events.find(event => event.type === "waiting" && event.service === "web");
    expect(waiting).toMatchObject({ reason: expect.stringContaining("waits for db-1") });

    host.world.journal.length = 0;
    const again = await host.finish(host.apps.up(app));
    expect(again.at(-1)).toMatchObject({ outcome: "unchanged" });
    expect(host.world.journal).toEqual([]);

    await host.finish(host.apps.down("shop"));
    expect(host.world.containers.size).toBe(0);
    expect([...host.world.networks.keys()]).toEqual([]);
    const stops = host.world.journal.filter(line => line.startsWith("stop"));
    expect(stops.at(-1)).toBe("stop shop-db-1");
    expect(host.world.violations).toEqual([]);
  });
});
