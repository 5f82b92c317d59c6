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

const behaviours: Record<string, Behaviour> = {
  "db:1": { health: { after_ms: 500, status: "healthy" } },
  "sick:1": { health: { after_ms: 500, status: "unhealthy", output: "connection refused" } },
  "done:1": { exits: { after_ms: 100, code: 0 } },
  "crash:1": { exits: { after_ms: 100, code: 3 } },
  "broken:1": { startError: "exec: no such file" },
};

async function started(seed = 1): Promise<OneHost> {
  const host = new OneHost(seed, { behaviours });
  await host.boot();
  return host;
}

const journal = (host: OneHost, verb: string) => host.world.journal.filter(line => line.startsWith(`${verb} `));

describe("up and down", () => {
  it("comes up in order, does nothing the second time, and goes in reverse", async () => {
    await using host = await started();
    const app = appOf("shop", shop);
    const events = await host.finish(host.apps.up(app));
    expect(events.at(-1)).toMatchObject({ type: "done", outcome: "succeeded" });
    expect(host.running()).toEqual(["shop-db-1", "shop-web-1", "shop-web-2", "shop-web-3"]);
    expect(journal(host, "start")[0]).toBe("start shop-db-1");
    const waiting = events.find(event => event.type === "waiting" && event.service === "web");
    expect(waiting).toMatchObject({ reason: expect.stringContaining("waits for db-1") });

    host.world.journal.length = 0;
    const again = await host.finish(host.apps.up(app));
    expect(again.at(-1)).toMatchObject({ outcome: "unchanged" });
    expect(host.world.journal).toEqual([]);

    await host.finish(host.apps.down("shop"));
    expect(host.world.containers.size).toBe(0);
    expect([...host.world.networks.keys()]).toEqual([]);
    expect(journal(host, "stop").at(-1)).toBe("stop shop-db-1");
    expect(host.world.violations).toEqual([]);
  });

  it("does what its plan said, and nothing else", async () => {
    await using host = await started();
    await host.finish(host.apps.up(appOf("shop", shop)));
    const changed = appOf("shop", { ...shop, web: { ...shop["web"], user: "www" }, cache: {} });
    const { plan } = await host.apps.plan(changed);
    const named = (action: string) => plan.steps.filter(step => step.action === action).map(({ name }) => name);
    host.world.journal.length = 0;
    await host.finish(host.apps.up(changed));
    await host.clock.advance(10_000);
    const made = journal(host, "create").map(line => line.split(" ")[1]!.replace(/-t\d+$/, ""));
    expect([...new Set(made)].sort()).toEqual([...named("create"), ...named("replace")].sort());
    expect(named("keep")).toContain("shop-db-1");
    expect(host.world.journal.join()).not.toContain("shop-db");
  });

  it("says which dependency is not healthy, with its last probe's output", async () => {
    await using host = await started();
    const app = appOf("shop", {
      db: { image: "sick:1" },
      web: { image: "web:1", dependsOn: { db: healthy } },
    });
    const failure = await host.finish(host.apps.up(app)).catch(thrown => thrown);
    expect(failure.message).toContain("connection refused");
    const [why] = await host.apps.why("shop", "web");
    expect(why!.sentences.join("\n")).toMatch(/waits for db-1 to be healthy: it is unhealthy.*connection refused/);
    expect(host.running()).toEqual(["shop-db-1"]);
  });

  it("starts after a dependency completed, and not where it failed", async () => {
    await using host = await started();
    const completed = dependency({ condition: "service_completed_successfully" });
    const web = { image: "web:1", dependsOn: { migrate: completed } };
    await host.finish(host.apps.up(appOf("good", { migrate: { image: "done:1" }, web })));
    expect(host.running()).toEqual(["good-web-1"]);
    const bad = host.apps.up(appOf("bad", { migrate: { image: "crash:1" }, web }));
    await expect(host.finish(bad)).rejects.toThrow(/migrate-1: it ended with code 3/);
    expect(host.running()).toEqual(["good-web-1"]);
  });

  it("goes on without a dependency that is not required", async () => {
    await using host = await started();
    const optional = dependency({ condition: "service_completed_successfully", required: false });
    const app = appOf("shop", { warm: { image: "crash:1" }, web: { image: "web:1", dependsOn: { warm: optional } } });
    host.follow(host.apps.up(app));
    await host.until(() => host.running().includes("shop-web-1"));
  });

  it("reports a container that cannot be started", async () => {
    await using host = await started();
    const up = host.apps.up(appOf("shop", { web: { image: "broken:1" } }));
    await expect(host.finish(up)).rejects.toThrow(/no such file/);
  });

  it("brings up chosen services with what they depend on, and leaves the others alone", async () => {
    await using host = await started();
    const app = appOf("shop", { ...shop, cache: {} });
    await host.finish(host.apps.up(app, { services: ["web"] }));
    expect(host.running()).toEqual(["shop-db-1", "shop-web-1", "shop-web-2", "shop-web-3"]);
    await host.finish(host.apps.up(appOf("shop", { ...shop, cache: {} }), { services: ["cache"] }));
    expect(host.running()).toContain("shop-cache-1");
    expect(journal(host, "create")).toHaveLength(5);
  });

  it("refuses a second `up` while one is under way, or lets it wait", async () => {
    await using host = await started();
    const first = host.follow(host.apps.up(appOf("shop", { web: {} }), { who: "ann" }));
    const second = host.apps.up(appOf("shop", { web: { user: "www" } }), { who: "bob" });
    await expect(host.finish(second)).rejects.toThrow(/shop is being changed by ann/);
    const third = host.apps.up(appOf("shop", { web: { user: "root" } }), { who: "bob", waitForOthers: true });
    await host.finish(third);
    expect(first.error).toBeUndefined();
    expect((await host.apps.history("shop")).map(({ who, outcome }) => [who, outcome])[0]).toEqual([
      "bob",
      "succeeded",
    ]);
  });

  it("refuses an older app file, unless forced", async () => {
    await using host = await started();
    const [one, two] = [appOf("shop", { web: {} }), appOf("shop", { web: { user: "www" } })];
    await host.finish(host.apps.up(one));
    await host.finish(host.apps.up(two));
    await expect(host.finish(host.apps.up(one))).rejects.toThrow(/this app file is version 1 of shop/);
    await expect(host.finish(host.apps.up(appOf("shop", { x: {} }), { basedOn: 1 }))).rejects.toThrow(
      /made from version 1/,
    );
    await host.finish(host.apps.up(one, { force: true }));
    expect((await host.apps.ls())[0]).toMatchObject({ name: "shop", version: 3 });
  });

  it("says who waits for what when time is up, and goes on by itself", async () => {
    await using host = await started();
    const up = host.apps.up(appOf("shop", shop), { timeout_ms: 300 });
    await expect(host.finish(up)).rejects.toThrow(/shop-web-1 is .*waits for db-1 to be healthy/);
    await host.until(() => host.running().length === 4);
  });
});

describe("what users ask of a running app", () => {
  it("stops and starts the same containers, dependents first and last", async () => {
    await using host = await started();
    await host.finish(host.apps.up(appOf("shop", shop)));
    await host.finish(host.apps.stop("shop"));
    expect(host.running()).toEqual([]);
    expect(host.world.containers.size).toBe(4);
    expect(journal(host, "stop").at(-1)).toBe("stop shop-db-1");
    host.world.journal.length = 0;
    await host.finish(host.apps.start("shop"));
    expect(host.running()).toHaveLength(4);
    expect(journal(host, "create")).toEqual([]);
    expect(journal(host, "start")[0]).toBe("start shop-db-1");
    expect(host.world.violations).toEqual([]);
  });

  it("restarts in the same containers, and with them what asked for it", async () => {
    await using host = await started();
    const services = { db: {}, web: { dependsOn: { db: dependency({ restart: true }) } }, other: {} };
    await host.finish(host.apps.up(appOf("shop", services)));
    const ids = [...host.world.containers.keys()];
    host.world.journal.length = 0;
    await host.finish(host.apps.restart("shop", { services: ["db"] }));
    await host.until(() => journal(host, "start").length === 2);
    expect([...host.world.containers.keys()]).toEqual(ids);
    expect(journal(host, "start")).toEqual(["start shop-db-1", "start shop-web-1"]);
  });

  it("scales up and down", async () => {
    await using host = await started();
    await host.finish(host.apps.up(appOf("shop", shop)));
    await host.finish(host.apps.scale("shop", { web: 5 }));
    expect(host.running()).toHaveLength(6);
    await host.finish(host.apps.scale("shop", { web: 1 }));
    expect(host.running()).toEqual(["shop-db-1", "shop-web-1"]);
    expect(host.world.containers.size).toBe(2);
  });

  it("pauses and unpauses", async () => {
    await using host = await started();
    await host.finish(host.apps.up(appOf("shop", { web: {} })));
    await host.finish(host.apps.pause("shop"));
    await host.until(() => host.world.running()[0]?.state.status === "paused");
    await host.finish(host.apps.unpause("shop"));
    await host.until(() => host.world.running()[0]?.state.status === "running");
  });

  it("goes back to any earlier version", async () => {
    await using host = await started();
    await host.finish(host.apps.up(appOf("shop", { web: { user: "one" } }), { message: "begin" }));
    await host.finish(host.apps.up(appOf("shop", { web: { user: "two" } })));
    await host.finish(host.apps.up(appOf("shop", { web: { user: "three" } })));
    await host.finish(host.apps.rollback("shop", 1));
    expect(host.world.running()[0]?.spec.user).toBe("one");
    const history = await host.apps.history("shop");
    expect(history.map(({ version, message }) => [version, message])).toEqual([
      [4, "rollback to version 1"],
      [3, ""],
      [2, ""],
      [1, "begin"],
    ]);
    expect(history[2]!.diff).toEqual(['services.web.user "one" -> "two"']);
    expect(history.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded", "succeeded", "succeeded"]);
  });

  it("keeps secrets out of everything that can be looked at", async () => {
    await using host = await started();
    const app = appOf(
      "shop",
      { web: { secrets: [{ source: "key", target: "/run/secrets/key", mode: 0o400, uid: "0" }] } },
      {
        secrets: { key: { name: "shop_key", origin: { from: "file", path: "/srv/key" }, labels: {}, extensions: {} } },
      },
    );
    const contents = { "secrets.key": Buffer.from("s3cr3t-value").toString("base64") };
    const events = await host.finish(host.apps.up(app, { contents }));
    const { items } = await host.store.list("");
    const seen = JSON.stringify([events, items, [...host.world.containers.values()], await host.apps.version("shop")]);
    expect(seen).not.toContain("s3cr3t-value");
    expect(seen).not.toContain(contents["secrets.key"]);
    const [mount] = host.world.running()[0]!.spec.mounts;
    expect(mount).toMatchObject({ type: "bind", target: "/run/secrets/key", readOnly: true });
    const { readFileSync, statSync } = await import("node:fs");
    expect(readFileSync(mount!.source!, "utf8")).toBe("s3cr3t-value");
    expect(statSync(mount!.source!).mode & 0o777).toBe(0o400);

    const rotated = { "secrets.key": Buffer.from("another").toString("base64") };
    await host.finish(host.apps.up(app, { contents: rotated }));
    expect(readFileSync(host.world.running()[0]!.spec.mounts[0]!.source!, "utf8")).toBe("another");
    await host.finish(host.apps.down("shop"));
    expect(() => readFileSync(mount!.source!)).toThrow(/ENOENT/);
  });
});
