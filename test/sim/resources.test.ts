import { describe, expect, it } from "vitest";
import type { App } from "../../src/model/app.ts";
import { appOf } from "../../src/testing/apps.ts";
import { OneHost } from "./one-host.ts";

const volume = (options: Record<string, string>): App["volumes"] => ({
  data: { name: "shop_data", external: false, options, labels: {}, extensions: {} },
});
const network = (options: Record<string, string>): App["networks"] => ({
  default: { name: "shop_default", external: false, options, pools: [], labels: {}, extensions: {} },
});
const db = { image: "db:1", mounts: [{ type: "volume" as const, source: "data", target: "/data" }] };

async function started(app: App): Promise<OneHost> {
  const host = new OneHost(1);
  await host.boot();
  await host.finish(host.apps.up(app));
  host.world.journal.length = 0;
  return host;
}

describe("networks and volumes", () => {
  it("makes a changed network anew, with the containers that are in it", async () => {
    await using host = await started(appOf("shop", { web: {}, api: {} }, { networks: network({ mtu: "1500" }) }));
    await host.finish(host.apps.up(appOf("shop", { web: {}, api: {} }, { networks: network({ mtu: "1400" }) })));
    expect(host.world.networks.get("shop_default")?.options).toEqual({ mtu: "1400" });
    expect(host.running()).toEqual(["shop-api-1", "shop-web-1"]);
    expect(host.world.violations).toEqual([]);
  });

  it("asks before it destroys a volume's data, and destroys only what was agreed to", async () => {
    await using host = await started(appOf("shop", { db }, { volumes: volume({}) }));
    host.world.volumes.get("shop_data")!.createdAt = "the first";
    const changed = appOf("shop", { db }, { volumes: volume({ size: "2g" }) });
    await expect(host.finish(host.apps.up(changed))).rejects.toThrow(/would destroy the data in volume shop_data/);
    expect(host.world.volumes.get("shop_data")!.createdAt).toBe("the first");
    await host.finish(host.apps.up(changed, { allowDestructive: true }));
    expect(host.world.volumes.get("shop_data")).toMatchObject({ options: { size: "2g" } });
    expect(host.world.volumes.get("shop_data")!.createdAt).not.toBe("the first");
  });

  it("never replaces a volume that Berth did not make", async () => {
    const host = new OneHost(1);
    await using _host = host;
    await host.boot();
    const foreign = {
      name: "shop_data",
      driver: "local",
      options: {},
      labels: {},
      createdAt: "",
      mountpoint: "",
      anonymous: false,
    };
    host.world.volumes.set("shop_data", foreign);
    await host.finish(host.apps.up(appOf("shop", { db }, { volumes: volume({ size: "1g" }) })));
    await host.finish(
      host.apps.up(appOf("shop", { db }, { volumes: volume({ size: "2g" }) }), { allowDestructive: true }),
    );
    expect(host.world.volumes.get("shop_data")).toBe(foreign);
    await host.finish(host.apps.down("shop", { volumes: true }));
    expect(host.world.volumes.get("shop_data")).toBe(foreign);
  });

  it("keeps a volume that no service uses any more, until `down` with volumes", async () => {
    await using host = await started(appOf("shop", { db, web: {} }, { volumes: volume({}) }));
    await host.finish(host.apps.up(appOf("shop", { web: {} })));
    expect([...host.world.volumes.keys()]).toEqual(["shop_data"]);
    await host.finish(host.apps.down("shop"));
    expect([...host.world.volumes.keys()]).toEqual(["shop_data"]);
    await host.finish(host.apps.up(appOf("shop", { db }, { volumes: volume({}) })));
    await host.finish(host.apps.down("shop", { volumes: true }));
    expect([...host.world.volumes.keys()]).toEqual([]);
  });

  it("refuses an app whose external network is missing, before it changes anything", async () => {
    await using host = await started(appOf("other", { web: {} }));
    const external: App["networks"] = { default: { ...network({})["default"]!, name: "shared", external: true } };
    const up = host.apps.up(appOf("shop", { web: {} }, { networks: external }));
    await expect(host.finish(up)).rejects.toThrow(/network shared is external to the app, and does not exist/);
    expect(host.world.journal).toEqual([]);
    expect(await host.apps.ls()).toHaveLength(1);
  });

  it("places nothing where a constraint does not hold, and says why", async () => {
    await using host = await started(appOf("other", { web: {} }));
    const placement = { constraints: ["node.labels.disk == ssd"], spread: [] };
    const app = appOf("shop", { web: { deploy: { mode: "replicated", replicas: 1, labels: {}, placement } } });
    await expect(host.finish(host.apps.up(app))).rejects.toThrow(
      /web-1 fits on no host: one does not meet "node.labels.disk == ssd" \(node.labels.disk is not set\)/,
    );
    const [why] = await host.apps.why("shop", "web");
    expect(why!.state).toBe("unplaced");
    // As soon as the host has the label, the task is placed.
    await host.store.commit({
      operations: [
        {
          type: "put",
          key: "hostwish/one",
          value: JSON.stringify({ availability: "active", labels: { disk: "ssd" } }),
        },
      ],
    });
    await host.until(() => host.running().includes("shop-web-1"));
  });
});
