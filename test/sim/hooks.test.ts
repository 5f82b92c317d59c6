import { describe, expect, it } from "vitest";
import { appOf } from "../../src/testing/apps.ts";
import { OneHost } from "./one-host.ts";

const hook = (command: string) => ({ command: command.split(" "), timeout_ms: 1000, environment: {} });
const mounting = appOf("shop", {
  web: { hostHooks: { beforeStart: [hook("mount /srv")], afterStop: [hook("umount /srv")] } },
});

describe("host hooks", () => {
  it("run before a start and after each end, where the host allows them", async () => {
    await using host = new OneHost(1);
    host.hostHooks = [];
    await host.boot();
    await host.finish(host.apps.up(mounting));
    expect(host.hostHooks).toEqual(["mount /srv for web"]);
    await host.finish(host.apps.stop("shop"));
    expect(host.hostHooks).toEqual(["mount /srv for web", "umount /srv for web"]);
    await host.finish(host.apps.start("shop"));
    host.world.exit(host.world.running()[0]!.id, 1);
    await host.until(() => host.hostHooks!.length === 4);
    expect(host.hostHooks.at(-1)).toBe("umount /srv for web");
  });

  it("are refused before anything is changed where the host does not, and what was accepted before says so", async () => {
    await using host = new OneHost(2);
    await host.boot();
    await expect(host.finish(host.apps.up(mounting))).rejects.toMatchObject({
      code: "forbidden",
      message: "service web: host hooks are off on this host",
      hint: expect.stringContaining("--allow-host-hooks"),
    });
    expect(host.world.containers.size).toBe(0);
    host.hostHooks = [];
    host.kill();
    await host.boot();
    await host.finish(host.apps.up(mounting));
    host.hostHooks = undefined;
    host.kill();
    await host.boot();
    await host.finish(host.apps.restart("shop", { wait: "none" }));
    await host.until(() => host.world.running().length === 0);
    await host.clock.advance(1000);
    expect((await host.apps.ps("shop"))[0]!.message).toMatch(/host hooks are off/);
  });
});

describe("a pre_start hook that runs once for all replicas", () => {
  it("is over before any of them starts", async () => {
    await using host = new OneHost(3, { behaviours: {} });
    await host.boot();
    const web = {
      image: "web:1",
      deploy: { mode: "replicated" as const, replicas: 3, labels: {} },
      preStart: [{ command: ["migrate"], image: "migrate:1", perReplica: false }],
    };
    host.world.addImage("migrate:1");
    const events = await host.finish(host.apps.up(appOf("shop", { web })));
    const steps = host.world.journal.filter(line => /^(start|remove) /.test(line));
    expect(steps.filter(line => line.startsWith("remove hook"))).toHaveLength(1);
    const over = steps.findIndex(line => line.startsWith("remove hook"));
    expect(steps.findIndex(line => line.startsWith("start shop-web"))).toBeGreaterThan(over);
    expect(host.running()).toEqual(["shop-web-1", "shop-web-2", "shop-web-3"]);
    const waits = events.flatMap(event => (event.type === "waiting" ? [event.reason] : []));
    expect(waits.join("\n")).toMatch(/waits for web-1 to run the service's pre_start hooks/);
    await host.finish(host.apps.scale("shop", { web: 4 }));
    expect(host.running()).toHaveLength(4);
  });
});
