import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerSpec } from "../../src/model/container.ts";
import type { NetworkSpec } from "../../src/model/network.ts";
import { makeHost, openEngine, type TestHost, until } from "./harness.ts";

let host: TestHost;
let containers: TestHost["engine"]["containers"];
let networks: TestHost["engine"]["networks"];
beforeAll(async () => {
  host = await makeHost();
  ({ containers, networks } = host.engine);
});
afterAll(() => host[Symbol.asyncDispose]());

const makeNetwork = (name: string, spec: Partial<NetworkSpec> = {}) =>
  networks.create({ name, driver: "bridge", options: {}, labels: {}, ...spec });
const serve = (text: string) => ["sh", "-c", `while :; do echo ${text} | nc -l -p 80 >/dev/null; done`];
const inNetwork = (network: string, more: Partial<ContainerSpec> = {}): Partial<ContainerSpec> => ({
  namespaces: { network },
  ...more,
});

/** What answers on the port; "" when nothing does. */
const ask = (port: number, address = "127.0.0.1") =>
  new Promise<string>(resolve => {
    let text = "";
    const socket = connect({ port, host: address });
    socket.on("data", data => (text += data.toString()));
    socket.on("error", () => resolve(""));
    socket.on("close", () => resolve(text.trim()));
    socket.setTimeout(2000, () => socket.destroy());
    socket.end();
  });

describe("containers in networks", () => {
  test("they have an address, find each other by name and alias, and their hosts file says so", async () => {
    await makeNetwork("town");
    const server = await host.start(
      inNetwork("town", { name: "server", command: serve("hi"), endpoints: [{ network: "town", aliases: ["web"] }] }),
    );
    const { endpoints } = await containers.inspect(server);
    expect(endpoints).toHaveLength(1);
    const hosts = (await host.exec(server, "cat", "/etc/hosts")).output;
    expect(hosts).toContain(`${endpoints[0]?.ipv4}\t${server.slice(0, 12)}`);
    const client = await host.start(inNetwork("town", { name: "client" }));
    for (const name of ["server", "web", server.slice(0, 12)]) {
      await until(async () => (await host.exec(client, "sh", "-c", `nc -w 2 ${name} 80 </dev/null`)).output === "hi\n");
    }
    const stats = await until(async () => {
      const { networks: counted } = await containers.stats(client);
      return (counted["eth0"]?.rxBytes ?? 0) > 0 ? counted : undefined;
    });
    expect(Object.keys(stats)).toEqual(["eth0"]);
    await expect(networks.remove("town")).rejects.toMatchObject({ code: "in_use" });
    for (const id of [server, client]) await containers.remove(id, { force: true });
    await networks.remove("town");
  });

  test("connect and disconnect work while it runs, while it is stopped, and last over a restart", async () => {
    await makeNetwork("left");
    await makeNetwork("right");
    const id = await host.start(inNetwork("left"));
    const names = async () => (await containers.inspect(id)).endpoints.map(({ networkName }) => networkName);
    await networks.connect("right", id, { aliases: ["other"] });
    expect(await names()).toEqual(["left", "right"]);
    expect((await host.exec(id, "ls", "/sys/class/net")).output).toBe("eth0\neth1\nlo\n");
    await expect(networks.connect("right", id, {})).rejects.toMatchObject({ code: "already_exists" });
    await containers.restart(id, { timeout_ms: 0 });
    expect(await names()).toEqual(["left", "right"]);
    await networks.disconnect("left", id);
    expect(await names()).toEqual(["right"]);
    await containers.stop(id, { timeout_ms: 0 });
    await networks.disconnect("right", id);
    await networks.connect("left", id, {});
    await containers.start(id);
    expect(await names()).toEqual(["left"]);
    await expect(networks.disconnect("right", id)).rejects.toMatchObject({ code: "not_found" });
    await containers.remove(id, { force: true });
    expect((await networks.prune()).sort()).toEqual(["left", "right"]);
  });

  test("ports are published, changed while it runs, and refused when somebody has them", async () => {
    const port = { containerPort: 80, protocol: "tcp" as const };
    const id = await host.start(inNetwork("bridge", { command: serve("open"), ports: [port] }));
    const published = (await containers.inspect(id)).publishedPorts;
    const first = published[0]!.hostPort;
    await until(async () => (await ask(first)) === "open");
    const second = await host.create(inNetwork("bridge", { name: "late", ports: [{ ...port, hostPort: first }] }));
    await expect(containers.start(second)).rejects.toMatchObject({ code: "in_use" });
    expect((await host.engine.system.check()).findings).toEqual([]);
    await containers.update(id, { ports: [{ ...port, hostPortEnd: first + 20, hostPort: first + 1 }] });
    const moved = (await containers.inspect(id)).publishedPorts[0]!.hostPort;
    expect(moved).toBeGreaterThan(first);
    await until(async () => (await ask(moved)) === "open");
    expect(await ask(first)).toBe("");
    await containers.start(second);
    for (const each of [id, second]) await containers.remove(each, { force: true });
    expect(await ask(moved)).toBe("");
  });

  test("links and extra hosts are in the hosts file, and follow a restart", async () => {
    const db = await host.start(inNetwork("bridge", { name: "db", command: serve("rows") }));
    const app = await host.start(
      inNetwork("bridge", {
        links: ["db:store"],
        extraHosts: ["far:10.9.8.7", "me:host-gateway"],
        domainname: "example.org",
      }),
    );
    const read = async () => (await host.exec(app, "cat", "/etc/hosts")).output;
    const address = async () => (await containers.inspect(db)).endpoints[0]?.ipv4;
    expect(await read()).toContain(`${await address()}\tstore ${db.slice(0, 12)} db`);
    expect(await read()).toContain("10.9.8.7\tfar");
    expect(await read()).toMatch(/\d+\tme\n/);
    expect(await read()).toContain(`${app.slice(0, 12)}.example.org ${app.slice(0, 12)}`);
    await containers.stop(db, { timeout_ms: 0 });
    await host.start(inNetwork("bridge", { name: "squatter" }));
    await containers.start(db);
    expect(await read()).toContain(`${await address()}\tstore`);
    for (const id of ["db", app, "squatter"]) await containers.remove(id, { force: true });
  });

  test("a used-up pool is said to be so, and the failed start takes nothing with it", async () => {
    await makeNetwork("tiny", { pools: [{ subnet: "10.211.7.0/30" }] });
    const first = await host.start(inNetwork("tiny"));
    const second = await host.create(inNetwork("tiny"));
    await expect(containers.start(second)).rejects.toMatchObject({ code: "exhausted" });
    expect((await host.engine.system.check()).findings).toEqual([]);
    await containers.remove(first, { force: true });
    await containers.start(second);
    await containers.remove(second, { force: true });
    await networks.remove("tiny");
  });

  test("many start and stop at once, from two processes, and nothing is left", async () => {
    const other = openEngine(host.settings).engine;
    const ids = await Promise.all(
      Array.from({ length: 8 }, () => host.create(inNetwork("bridge", { command: ["sleep", "1000"] }))),
    );
    await Promise.all(ids.map((id, index) => (index % 2 ? other.containers : containers).start(id)));
    const addresses = await Promise.all(ids.map(async id => (await containers.inspect(id)).endpoints[0]?.ipv4));
    expect(new Set(addresses).size).toBe(8);
    await Promise.all(ids.map((id, index) => (index % 2 ? containers : other.containers).remove(id, { force: true })));
    expect((await host.engine.system.check()).findings).toEqual([]);
  });
});

describe("events", () => {
  test("what happens is told to every process, with Docker's names, and can be asked for later", async () => {
    const since_ms = Date.now();
    const stop = new AbortController();
    const live: string[] = [];
    const listening = (async () => {
      const events = openEngine(host.settings).engine.system.events({
        signal: stop.signal,
        filters: { type: ["container"] },
      });
      for await (const event of events) live.push(event.action);
    })().catch(() => undefined);
    const { id } = await host.run({ name: "noted", labels: { k: "v" }, command: ["sh", "-c", "exit 2"] });
    await containers.remove(id);
    await until(() => live.includes("destroy"));
    stop.abort();
    await listening;
    const past: string[] = [];
    for await (const event of host.engine.system.events({
      since_ms,
      until_ms: Date.now(),
      filters: { container: ["noted"] },
    })) {
      past.push(event.action);
      expect(event.attributes).toMatchObject({ name: "noted", image: "busybox", k: "v" });
      if (event.action === "die") expect(event.attributes["exitCode"]).toBe("2");
    }
    expect(past).toEqual(["create", "start", "die", "destroy"]);
  });
});
