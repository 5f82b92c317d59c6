import { describe, expect, it } from "vitest";
import type { Service } from "../../src/model/service.ts";
import { appOf } from "../../src/testing/apps.ts";
import { OneHost } from "./one-host.ts";

const behaviours = {
  "web:1": { health: { after_ms: 3000, status: "healthy" as const } },
  "web:2": { health: { after_ms: 3000, status: "healthy" as const } },
};
const web = (image: string, given: Partial<Service> = {}) =>
  appOf("shop", {
    web: {
      image,
      ports: [{ containerPort: 80, hostPort: 8080, protocol: "tcp", mode: "ingress" }],
      deploy: { mode: "replicated", replicas: 1, labels: {}, updateConfig: { order: "start-first" } },
      ...given,
    },
  });
const ports = (host: OneHost) => host.world.running().map(({ publishedPorts }) => publishedPorts.length);

describe("a port that the tasks of a service share", () => {
  it("is joined by a checked task when it is healthy, before anybody is told, and left before it stops", async () => {
    await using host = new OneHost(1, { behaviours, twoAtOnce: new Set(["shop/web"]) });
    await host.boot();
    await host.finish(host.apps.up(web("web:1"), { wait: "started" }));
    expect(ports(host)).toEqual([0]);
    await host.until(() => ports(host).join() === "1");
    await host.finish(host.apps.up(web("web:2"), { wait: "healthy" }));
    await host.until(() => host.world.containers.size === 1);
    const told = host.world.journal.filter(line => /publish|start|stop/.test(line)).map(line => line.split(" ")[0]);
    expect(told).toEqual(["start", "publish", "start", "publish", "unpublish", "stop"]);
    expect((await host.apps.ps("shop"))[0]!.ports).toMatchObject([{ hostPort: 8080, containerPort: 80 }]);
  });

  it("is there from the start where nothing checks the task, and withheld again when a checked one restarts", async () => {
    await using host = new OneHost(2, { behaviours });
    await host.boot();
    await host.finish(host.apps.up(web("plain:1")));
    expect(ports(host)).toEqual([1]);
    await host.finish(host.apps.down("shop"));
    await host.finish(host.apps.up(web("web:1", { restart: { name: "always" } }), { wait: "healthy" }));
    expect(ports(host)).toEqual([1]);
    host.world.exit(host.world.running()[0]!.id, 1);
    await host.until(() => host.world.running().length === 1);
    expect(ports(host)).toEqual([0]);
    await host.clock.advance(5000);
    expect(ports(host)).toEqual([1]);
  });

  it("is joined after berthd was killed at any step between", async () => {
    for (let failAt = 1; failAt < 200; failAt++) {
      await using host = new OneHost(failAt, { behaviours });
      await host.boot({ failAt });
      const followed = host.follow(host.apps.up(web("web:1"), { wait: "healthy" }));
      await host.until(() => followed.done || !host.power.alive);
      if (host.power.alive) break;
      await host.boot();
      if (!host.control.mirror.state.apps.has("shop")) continue;
      await host.until(() => ports(host).join() === "1");
    }
  });
});

describe("the time to stop that a user gives", () => {
  it("goes to each task, and is forgotten with the next start", async () => {
    await using host = new OneHost(3, {});
    await host.boot();
    await host.finish(host.apps.up(web("plain:1")));
    await host.finish(host.apps.stop("shop", { stopTimeout_ms: 7000 }));
    expect(host.world.stopTimeouts).toEqual([7000]);
    await host.finish(host.apps.start("shop"));
    await host.finish(host.apps.stop("shop"));
    expect(host.world.stopTimeouts).toEqual([7000, undefined]);
    await host.finish(host.apps.start("shop"));
    await host.finish(host.apps.down("shop", { stopTimeout_ms: 0 }));
    expect(host.world.stopTimeouts).toEqual([7000, undefined, 0]);
  });
});
