import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineEvent } from "../../src/model/event.ts";
import { makeHost, openEngine, type TestHost, until } from "./harness.ts";

let host: TestHost;
let containers: TestHost["engine"]["containers"];
beforeAll(async () => {
  host = await makeHost();
  containers = host.engine.containers;
});
afterAll(() => host[Symbol.asyncDispose]());

const state = async (id: string) => (await containers.inspect(id)).state;

/** A berthd of its own process. */
async function supervisor(): Promise<ChildProcess> {
  const { root, run, instance } = host.settings;
  const program = join(import.meta.dirname, "engine-process.ts");
  const child = spawn(process.execPath, [program, root, run, instance, "supervise"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", code => reject(new Error(`the supervisor ended with ${code}`)));
  });
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise(resolve => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

/** Counts its runs in a file of a volume, so that it is seen from outside. */
const counting = (more: string) => ["sh", "-c", `echo run >> /count; ${more}`];
const runs = async (id: string) => {
  const { upperPath } = await containers.inspect(id);
  const file = join(upperPath, "count");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
};

describe.each(["no daemon", "a berthd"])("restart policies with %s", mode => {
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    if (mode === "a berthd") child = await supervisor();
  });
  afterAll(async () => {
    if (child) await kill(child);
  });

  test("on-failure tries again as often as allowed, and not after a success", async () => {
    const id = await host.create({ restart: { name: "on-failure", maximumRetries: 2 }, command: counting("exit 3") });
    await containers.start(id);
    await until(async () => (await runs(id)) === 3 && (await state(id)).status === "exited", 30_000);
    expect(await state(id)).toMatchObject({ exitCode: 3, restartCount: 2 });
    const good = await host.create({ restart: { name: "on-failure" }, command: counting("exit 0") });
    await containers.start(good);
    await until(async () => (await state(good)).status === "exited");
    expect(await runs(good)).toBe(1);
  });

  test("always goes on until it is stopped by hand", async () => {
    const id = await host.create({ restart: { name: "always" }, command: counting("sleep 0.05") });
    await containers.start(id);
    await until(async () => (await runs(id)) >= 3, 30_000);
    await containers.stop(id, { timeout_ms: 0 });
    expect((await state(id)).status).toBe("exited");
    const { restartCount, stoppedByUser } = await state(id);
    expect(restartCount).toBeGreaterThanOrEqual(2);
    expect(stoppedByUser).toBe(true);
  });

  test("health checks find out, keep the last probes, and tell", async () => {
    const events: EngineEvent[] = [];
    const stop = new AbortController();
    const listening = (async () => {
      for await (const event of host.engine.system.events({ signal: stop.signal })) events.push(event);
    })().catch(() => undefined);
    const id = await host.start({
      command: ["sh", "-c", "touch /ok; sleep 1000"],
      healthCheck: { test: ["CMD-SHELL", "echo looked; test -e /ok"], interval_ms: 50, retries: 2, timeout_ms: 5000 },
    });
    expect((await state(id)).health?.status).toBe("starting");
    await until(async () => (await state(id)).health?.status === "healthy", 30_000);
    await host.exec(id, "rm", "/ok");
    await until(async () => (await state(id)).health?.status === "unhealthy", 30_000);
    const { health } = await state(id);
    expect(health?.failingStreak).toBeGreaterThanOrEqual(2);
    expect(health?.log.length).toBeLessThanOrEqual(5);
    expect(health?.log.at(-1)).toMatchObject({ exitCode: 1, output: "looked\n" });
    await until(() => events.some(event => event.id === id && event.action === "health_status: unhealthy"));
    stop.abort();
    await listening;
    await containers.remove(id, { force: true });
  });

  test("an unhealthy container is restarted where its policy says so", async () => {
    const id = await host.create({
      restart: { name: "on-failure", onUnhealthy: true },
      command: counting("trap 'exit 0' TERM; while :; do sleep 0.05; done"),
      healthCheck: { test: ["CMD-SHELL", 'test "$(wc -l < /count)" -gt 1'], interval_ms: 50, retries: 1 },
    });
    await containers.start(id);
    await until(async () => (await runs(id)) === 2 && (await state(id)).health?.status === "healthy", 40_000);
    expect((await state(id)).restartCount).toBe(1);
    await containers.remove(id, { force: true });
  });
});

describe("a berthd that dies", () => {
  test("changes nothing for the containers, and the next one finds their ends and their logs", async () => {
    const first = await supervisor();
    const ids = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        host.start({ command: ["sh", "-c", `echo up ${index}; until [ -e /go ]; do sleep 0.02; done; exit ${index}`] }),
      ),
    );
    const before = await Promise.all(ids.map(async id => (await state(id)).pid));
    await kill(first);
    expect(await Promise.all(ids.map(async id => (await state(id)).pid))).toEqual(before);
    for (const id of ids) await host.exec(id, "touch", "/go");
    const second = await supervisor();
    for (const [index, id] of ids.entries()) {
      await until(async () => (await state(id)).status === "exited");
      expect((await state(id)).exitCode).toBe(index);
      expect(await host.logs(id)).toBe(`up ${index}\n`);
    }
    await kill(second);
  });

  test("only one looks after a host at a time", async () => {
    const first = await supervisor();
    const other = openEngine(host.settings).engine;
    await expect(other.supervise({ signal: AbortSignal.timeout(20_000) })).rejects.toMatchObject({ code: "conflict" });
    await kill(first);
  });
});
