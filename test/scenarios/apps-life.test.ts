import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/model/app.ts";
import type { Service } from "../../src/model/service.ts";
import { appOf, dependency } from "../../src/testing/apps.ts";
import { type AppsHost, all, makeAppsHost } from "./apps-fixture.ts";
import { until } from "./harness.ts";

const sleeper: Partial<Service> = {
  image: "busybox",
  command: ["sleep", "1000"],
  init: true,
  stopGracePeriod_ms: 2000,
};
const shell = (script: string): Partial<Service> => ({ ...sleeper, command: ["sh", "-c", script] });
const healthCheck = (command: string) => ({
  test: ["CMD-SHELL", command],
  interval_ms: 200,
  timeout_ms: 2000,
  retries: 3,
  startPeriod_ms: 30_000,
  startInterval_ms: 200,
});

describe("apps on a real engine", () => {
  let at: AppsHost;
  beforeAll(async () => {
    at = await makeAppsHost();
  });
  afterAll(() => at[Symbol.asyncDispose]());

  const containers = async (app: string) =>
    at.host.engine.containers.list({ all: true, filters: { label: [`com.docker.compose.project=${app}`] } });
  const names = async (app: string) => (await containers(app)).map(({ name }) => name).sort();
  const up = (app: App, options = {}) => all(at.berthd.apps.up(app, { timeout_ms: 60_000, ...options }));
  const down = (name: string, options = {}) => all(at.berthd.apps.down(name, { timeout_ms: 60_000, ...options }));

  it("brings up 20 services, does nothing the second time, and takes all away", async () => {
    const app = appOf("many", Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`s${i}`, sleeper])));
    await up(app);
    expect(await names("many")).toHaveLength(20);
    expect((await up(app)).at(-1)).toMatchObject({ outcome: "unchanged" });
    await down("many");
    expect(await names("many")).toEqual([]);
    expect((await at.host.engine.networks.list()).map(({ name }) => name)).not.toContain("many_default");
  });

  it("waits for health, gives names, secrets in memory and compose's labels", async () => {
    const db = { ...shell("sleep 1; touch /tmp/ok; sleep 1000"), healthCheck: healthCheck("test -f /tmp/ok") };
    const web: Partial<Service> = {
      ...sleeper,
      deploy: { mode: "replicated", replicas: 2, labels: {} },
      dependsOn: { db: dependency({ condition: "service_healthy" }) },
      secrets: [{ source: "key", target: "/run/secrets/key", uid: "1000", gid: "50", mode: 0o440 }],
    };
    const app = appOf("shop", { db, web }, { secrets: { key: secretFrom("/srv/key") } });
    const contents = { "secrets.key": Buffer.from("hunter2").toString("base64") };
    const events = await up(app, { contents, wait: "healthy" });
    const waiting = events.filter(event => event.type === "waiting").map(({ reason }) => reason);
    expect(waiting.join("\n")).toMatch(/waits for db-1 to be healthy/);
    expect(await names("shop")).toEqual(["shop-db-1", "shop-web-1", "shop-web-2"]);
    const seen = await at.host.exec(
      "shop-web-1",
      "sh",
      "-c",
      "cat /run/secrets/key; stat -c ' %u:%g %a' /run/secrets/key",
    );
    expect(seen.output).toBe("hunter2 1000:50 440\n");
    for (const name of ["db", "db-1", "web-2"]) {
      expect((await at.host.exec("shop-web-1", "nslookup", name)).exitCode, name).toBe(0);
    }
    const { spec } = await at.host.engine.containers.inspect("shop-web-2");
    expect(spec.labels).toMatchObject({
      "com.docker.compose.service": "web",
      "com.docker.compose.container-number": "2",
      "com.docker.compose.oneoff": "False",
      "com.docker.compose.depends_on": "db:service_healthy:false",
    });
    const inspected = JSON.stringify(await at.host.engine.containers.inspect("shop-web-1"));
    expect(inspected).not.toContain("hunter2");
    const stored = readFileSync(`${at.host.settings.root}/store/berth.db`);
    expect(stored.includes("hunter2")).toBe(false);
    await down("shop");
  });

  it("replaces what changed and keeps data in anonymous volumes", async () => {
    const service = (environment: Record<string, string>): Partial<Service> => ({
      ...sleeper,
      environment,
      mounts: [{ type: "volume", target: "/var/data" }],
    });
    await up(appOf("data", { one: service({}), other: sleeper }));
    await at.host.exec("data-one-1", "sh", "-c", "echo kept > /var/data/file");
    const before = await containers("data");
    await up(appOf("data", { one: service({ LOG: "debug" }), other: sleeper }));
    expect((await at.host.exec("data-one-1", "cat", "/var/data/file")).output).toBe("kept\n");
    const after = await containers("data");
    const idOf = (list: typeof before, name: string) => list.find(found => found.name === name)?.id;
    expect(idOf(after, "data-other-1")).toBe(idOf(before, "data-other-1"));
    expect(idOf(after, "data-one-1")).not.toBe(idOf(before, "data-one-1"));
    expect(await names("data")).toEqual(["data-one-1", "data-other-1"]);
    await down("data", { volumes: true });
  });

  it("finds everything again after berthd ended, and what ended meanwhile is restarted", async () => {
    const app = appOf("again", { a: { ...sleeper, restart: { name: "always" } }, b: sleeper });
    await up(app);
    const before = await containers("again");
    await at.berthd.end();
    process.kill((await at.host.engine.containers.inspect("again-a-1")).state.pid, "SIGKILL");
    await until(async () => (await containers("again")).some(({ state }) => state.status === "exited"));
    await at.restart();
    await until(async () => (await containers("again")).every(({ state }) => state.status === "running"));
    expect((await containers("again")).map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort());
    expect((await up(app)).at(-1)).toMatchObject({ outcome: "unchanged" });
    await down("again");
  });

  it("restarts an unhealthy container, and runs hooks around a task's life", async () => {
    const web: Partial<Service> = {
      ...shell("touch /tmp/ok; sleep 1000"),
      healthCheck: healthCheck("test -f /tmp/ok || { echo gone; false; }"),
      restart: { name: "always" },
      preStart: [{ command: ["sh", "-c", "echo one-off"] }],
      postStart: [{ command: ["sh", "-c", "echo started > /tmp/post"] }],
      preStop: [{ command: ["sh", "-c", "echo stopped > /var/shared/pre"] }],
      mounts: [{ type: "volume", source: "shared", target: "/var/shared" }],
    };
    const reader: Partial<Service> = {
      ...sleeper,
      mounts: [{ type: "volume", source: "shared", target: "/var/shared" }],
    };
    const volumes: App["volumes"] = {
      shared: { name: "hooks_shared", external: false, options: {}, labels: {}, extensions: {} },
    };
    await up(appOf("hooks", { web, reader }, { volumes }), { wait: "healthy" });
    expect((await at.host.exec("hooks-web-1", "cat", "/tmp/post")).output).toBe("started\n");
    const started = (await at.host.engine.containers.inspect("hooks-web-1")).state.startedAt;
    await at.host.exec("hooks-web-1", "rm", "/tmp/ok");
    await until(
      async () => (await at.host.engine.containers.inspect("hooks-web-1")).state.startedAt !== started,
      20_000,
    );
    expect((await at.host.exec("hooks-reader-1", "cat", "/var/shared/pre")).output).toBe("stopped\n");
    const [view] = await at.berthd.apps.ps("hooks", { services: ["web"] });
    expect(view!.cause).toContain("unhealthy: gone");
    await down("hooks", { volumes: true });
    expect(await at.host.engine.volumes.list()).toEqual([]);
  });

  it("answers where a service's ports are, by number and by name", async () => {
    const web: Partial<Service> = {
      ...sleeper,
      deploy: { mode: "replicated", replicas: 2, labels: {} },
      ports: [{ name: "http", containerPort: 80, protocol: "tcp", mode: "host" }],
      expose: ["9000/udp"],
    };
    await up(appOf("ports", { web, asker: sleeper }));
    const lookup = async (name: string) =>
      (await at.host.exec("ports-asker-1", "nslookup", "-type=srv", name)).output.match(/\d+ \d+ \d+ \S+$/gm)?.sort();
    const each = (port: number) => [1, 2].map(number => `0 0 ${port} ports-web-${number}.ports_default`);
    expect(await lookup("_http._tcp.web")).toEqual(each(80));
    expect(await lookup("_80._tcp.web")).toEqual(each(80));
    expect(await lookup("_9000._udp.web")).toEqual(each(9000));
    await down("ports");
  });

  it("shares another service's network, and is made anew with it", async () => {
    const services = (user: string): Record<string, Partial<Service>> => ({
      main: { ...sleeper, user },
      side: { ...sleeper, networks: {}, networkMode: "service:main" },
    });
    await up(appOf("share", services("root")));
    const address = async (name: string) => (await at.host.exec(name, "cat", "/sys/class/net/eth0/address")).output;
    const first = await address("share-main-1");
    expect(first).toMatch(/:/);
    expect(await address("share-side-1")).toBe(first);
    const before = await containers("share");
    await up(appOf("share", services("web")));
    await until(async () => (await names("share")).length === 2);
    expect(await address("share-side-1")).toBe(await address("share-main-1"));
    const ids = before.map(({ id }) => id);
    expect((await containers("share")).filter(({ id }) => ids.includes(id))).toEqual([]);
    await down("share");
  });
});

function secretFrom(path: string): App["secrets"][string] {
  return { name: "shop_key", origin: { from: "file", path }, labels: {}, extensions: {} };
}
