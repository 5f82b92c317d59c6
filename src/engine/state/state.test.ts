import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { FileLocks } from "../../drivers/linux/file-locks.ts";
import { EventLog } from "../events/event-log.ts";
import { bootOrder } from "../supervise/boot-order.ts";
import { readJson, writeJson } from "./json-file.ts";
import { NameTable } from "./name-table.ts";
import { type Evidence, observe } from "./observe.ts";
import { Paths } from "./paths.ts";
import { processStart } from "./process-alive.ts";
import { type ContainerConfig, freshState } from "./record.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-state-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("a file is replaced whole, and a damaged one reads as none", () => {
  const path = join(directory, "a.json");
  expect(readJson(path)).toBeUndefined();
  writeJson(path, { a: 1 });
  writeJson(path, { a: 2 }, { durable: true });
  expect(readJson(path)).toEqual({ a: 2 });
  expect(readdirSync(directory)).toEqual(["a.json"]);
  writeFileSync(path, '{"a":');
  expect(readJson(path)).toBeUndefined();
});

describe("what is to be seen of a container", () => {
  const own = { pid: process.pid, pidStart: processStart(process.pid)! };
  const running = { ...freshState, phase: "running" as const, bootId: "boot" };
  const exit = { exitCode: 3, oomKilled: false, finished_ms: 1 };
  const see = (more: Partial<Evidence>) =>
    observe({ state: running, bootId: "boot", hasBundle: true, isAlive: () => false, exit: () => undefined, ...more })
      .kind;

  test("is told by lock, exit record and process, whatever was written down", () => {
    expect(see({ isAlive: () => true })).toBe("running");
    expect(see({ isAlive: () => true, exit: () => exit })).toBe("ended");
    expect(see({ state: { ...running, ...own } })).toBe("unmonitored");
    expect(see({ state: { ...running, monitorPid: own.pid, monitorStart: own.pidStart } })).toBe("running");
    expect(see({})).toBe("lost");
    expect(see({ bootId: "another" })).toBe("lost");
    expect(see({ hasBundle: false })).toBe("lost");
  });

  test("an exit written between two looks is found", () => {
    let looks = 0;
    expect(see({ exit: () => (looks++ > 0 ? exit : undefined) })).toBe("ended");
  });

  test("starts that go on, and what is left of killed ones, are told apart", () => {
    expect(see({ state: freshState, isAlive: () => true })).toBe("starting");
    expect(see({ state: freshState })).toBe("leftover");
    expect(see({ state: freshState, hasBundle: false })).toBe("settled");
  });
});

describe("names", () => {
  const table = () => {
    const paths = new Paths(directory, directory);
    for (const path of [paths.names, paths.containers, paths.creating]) mkdirSync(path, { recursive: true });
    return { paths, names: new NameTable(paths, new FileLocks(systemClock)) };
  };

  test("are held by one, given back by their holder only, and taken over from the dead", async () => {
    const { paths, names } = table();
    mkdirSync(paths.container("a"));
    await names.claim("web", "a");
    await names.claim("web", "a");
    await expect(names.claim("web", "b")).rejects.toMatchObject({ code: "already_exists" });
    names.release("web", "b");
    expect(names.holder("web")).toBe("a");
    rmSync(paths.container("a"), { recursive: true });
    await names.claim("web", "b");
    expect(names.holder("web")).toBe("b");
    names.release("web", "b");
    expect(names.holder("web")).toBeUndefined();
  });

  test("of many who want a dead one's name, one gets it", async () => {
    const { paths, names } = table();
    await names.claim("web", "dead");
    const wanting = Array.from({ length: 8 }, (_, index) => {
      mkdirSync(paths.container(`c${index}`));
      return names.claim("web", `c${index}`);
    });
    const results = await Promise.allSettled(wanting);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });
});

describe("events", () => {
  test("are read from the past, then live, over rotation, and filtered", async () => {
    const log = new EventLog(join(directory, "events"), systemClock, new FileLocks(systemClock));
    log.append("container", "create", "1", { name: "a" });
    const start_ms = Date.now();
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { action } of log.read({ since_ms: 0, filters: { type: ["container"] }, signal: stop.signal }))
        seen.push(action);
    })().catch(() => undefined);
    const count = 6000;
    for (let n = 0; n < count; n++) {
      log.append("container", `n${n}`, "1", { name: "a", filler: "x".repeat(200) });
      if (n % 500 === 0) await new Promise(resolve => setTimeout(resolve, 5));
    }
    log.append("image", "pull", "2", {});
    log.append("container", "last", "1", {});
    while (seen.at(-1) !== "last") await new Promise(resolve => setTimeout(resolve, 5));
    expect(seen).toEqual(["create", ...Array.from({ length: count }, (_, n) => `n${n}`), "last"]);
    stop.abort();
    await reading;
    const past: string[] = [];
    const query = { since_ms: start_ms, until_ms: Date.now(), filters: { event: ["pull", "last"] } };
    for await (const { action } of log.read(query)) past.push(action);
    expect(past).toEqual(["pull", "last"]);
    await expect(log.read({ until_ms: Date.now(), filters: { colour: ["red"] } }).next()).rejects.toMatchObject({
      code: "invalid",
    });
  });
});

test("at boot, containers start after those that they need", () => {
  const container = (id: string, createdAt: string, more: object) =>
    ({ id, name: id, createdAt, spec: { namespaces: {}, ...more } }) as unknown as ContainerConfig;
  const order = bootOrder([
    container("app", "1", { links: ["db:store"] }),
    container("side", "0", { namespaces: { network: "container:app" } }),
    container("db", "3", {}),
    container("old", "2", {}),
  ]);
  expect(order.map(({ id }) => id)).toEqual(["db", "app", "side", "old"]);
});
