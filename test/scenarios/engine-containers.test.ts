import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeHost, openEngine, type TestHost, until } from "./harness.ts";

let host: TestHost;
let containers: TestHost["engine"]["containers"];
beforeAll(async () => {
  host = await makeHost();
  containers = host.engine.containers;
});
afterAll(() => host[Symbol.asyncDispose]());

const status = async (id: string) => (await containers.inspect(id)).state.status;

describe("the life of a container", () => {
  test("it runs its command, its output is logged, its exit code kept, and removing it leaves nothing", async () => {
    const { id, exitCode, output } = await host.run({ command: ["sh", "-c", "echo out; echo err >&2; exit 7"] });
    expect(exitCode).toBe(7);
    expect(output.split("\n").sort()).toEqual(["", "err", "out"]);
    const { state } = await containers.inspect(id);
    expect(state).toMatchObject({ status: "exited", exitCode: 7, pid: 0, oomKilled: false });
    await containers.remove(id);
    await expect(containers.inspect(id)).rejects.toMatchObject({ code: "not_found" });
    expect((await host.engine.system.check()).findings).toEqual([]);
  });

  test("it can be started again after its end, and a running one says that it runs", async () => {
    const id = await host.create({ command: ["sh", "-c", "echo run; sleep 1000"] });
    await containers.start(id);
    await expect(containers.start(id)).rejects.toMatchObject({ code: "unchanged" });
    await containers.stop(id, { timeout_ms: 0 });
    expect(await status(id)).toBe("exited");
    await expect(containers.stop(id)).rejects.toMatchObject({ code: "unchanged" });
    await containers.start(id);
    await until(async () => (await host.logs(id)) === "run\nrun\n");
    await containers.remove(id, { force: true });
  });

  test("stop sends its signal first, and KILL when the container does not listen", async () => {
    const polite = await host.start({
      command: ["sh", "-c", "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"],
    });
    await until(async () => (await host.logs(polite)).includes("up"));
    await containers.stop(polite, { timeout_ms: 5000 });
    expect((await containers.inspect(polite)).state.exitCode).toBe(3);
    expect(await host.logs(polite)).toContain("bye");
    const deaf = await host.start({ command: ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"] });
    await until(async () => (await host.logs(deaf)).includes("up"));
    await containers.stop(deaf, { timeout_ms: 100 });
    expect((await containers.inspect(deaf)).state.exitCode).toBe(137);
  });

  test("stop honours the image's and the user's stop signal", async () => {
    const command = ["sh", "-c", "trap 'exit 5' USR1; trap 'exit 6' USR2; echo up; while :; do sleep 0.05; done"];
    const own = await host.start({ stopSignal: "SIGUSR1", command });
    await until(async () => (await host.logs(own)).includes("up"));
    await containers.stop(own);
    expect((await containers.inspect(own)).state.exitCode).toBe(5);
    await containers.start(own);
    await until(async () => (await host.logs(own)).split("up").length === 3);
    await containers.stop(own, { stopSignal: "USR2" });
    expect((await containers.inspect(own)).state.exitCode).toBe(6);
  });

  test("kill sends any signal, and refuses what is none or where nothing runs", async () => {
    const id = await host.start({ command: ["sh", "-c", "trap 'exit 9' HUP; echo up; while :; do sleep 0.05; done"] });
    await until(async () => (await host.logs(id)).includes("up"));
    await expect(containers.kill(id, "NONSENSE")).rejects.toMatchObject({ code: "invalid" });
    await containers.kill(id, "HUP");
    expect(await containers.wait(id)).toEqual({ exitCode: 9, error: undefined });
    await expect(containers.kill(id, "KILL")).rejects.toMatchObject({ code: "conflict" });
  });

  test("restart ends the run and begins another", async () => {
    const id = await host.start();
    const before = await containers.inspect(id);
    await containers.restart(id, { timeout_ms: 0 });
    const after = await containers.inspect(id);
    expect(after.state.status).toBe("running");
    expect(after.state.pid).not.toBe(before.state.pid);
    await containers.remove(id, { force: true });
  });

  test("pause freezes it until unpause; a paused one can be stopped", async () => {
    const id = await host.start({ command: ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done"] });
    await until(async () => (await host.logs(id)).length > 0);
    await containers.pause(id);
    expect(await status(id)).toBe("paused");
    await expect(containers.pause(id)).rejects.toMatchObject({ code: "conflict" });
    await expect(containers.createExec(id, { args: ["true"] })).rejects.toMatchObject({ code: "conflict" });
    const frozen = await host.logs(id);
    await containers.unpause(id);
    await until(async () => (await host.logs(id)).length > frozen.length);
    await containers.pause(id);
    await containers.stop(id, { timeout_ms: 0 });
    expect(await status(id)).toBe("exited");
  });

  test("a running container is removed by force only", async () => {
    const id = await host.start();
    await expect(containers.remove(id)).rejects.toMatchObject({ code: "conflict" });
    await containers.remove(id, { force: true });
    expect((await host.engine.system.check()).findings).toEqual([]);
  });

  test("a container that removes itself gives its exit code to who waits for the removal", async () => {
    const id = await host.create({ autoRemove: true, command: ["sh", "-c", "exit 4"] });
    const waiting = Promise.withResolvers<void>();
    const end = containers.wait(id, { condition: "removed", onRegistered: waiting.resolve });
    await waiting.promise;
    await containers.start(id);
    expect((await end).exitCode).toBe(4);
    await expect(containers.inspect(id)).rejects.toMatchObject({ code: "not_found" });
  });

  test("wait for the next exit does not take the last one for it", async () => {
    const { id } = await host.run({ command: ["sh", "-c", "test -e /again && exit 2; touch /again; exit 1"] });
    const registered = Promise.withResolvers<void>();
    const next = containers.wait(id, { condition: "next-exit", onRegistered: registered.resolve });
    await registered.promise;
    await containers.start(id);
    expect((await next).exitCode).toBe(2);
    expect((await containers.wait(id)).exitCode).toBe(2);
  });

  test("a program that is not there is said to be so, with a shell's exit code", async () => {
    const id = await host.create({ command: ["no-such-program"] });
    await expect(containers.start(id)).rejects.toMatchObject({ details: { exitCode: 127 } });
    expect((await containers.inspect(id)).state).toMatchObject({ status: "created", exitCode: 127 });
    const folder = await host.create({ command: ["/etc"] });
    await expect(containers.start(folder)).rejects.toMatchObject({ details: { exitCode: 126 } });
    expect((await host.engine.system.check()).findings).toEqual([]);
  });

  test("it is renamed, also while it runs, and the old name is free again", async () => {
    const id = await host.start({ name: "first" });
    await containers.rename("first", "second");
    expect((await containers.inspect("second")).id).toBe(id);
    const other = await host.create({ name: "first" });
    await expect(containers.rename(other, "second")).rejects.toMatchObject({ code: "already_exists" });
    await containers.remove("second", { force: true });
    await containers.rename(other, "second");
    expect((await containers.inspect(other.slice(0, 12))).name).toBe("second");
  });

  test("limits and policy are changed while it runs", async () => {
    const id = await host.start({ resources: { memory_bytes: 64 * 1024 ** 2 } });
    await containers.update(id, {
      resources: { memory_bytes: 32 * 1024 ** 2 },
      restart: { name: "on-failure", maximumRetries: 2 },
    });
    const { spec } = await containers.inspect(id);
    expect(spec.resources.memory_bytes).toBe(32 * 1024 ** 2);
    expect(spec.restart).toEqual({ name: "on-failure", maximumRetries: 2 });
    expect((await containers.stats(id)).memoryLimit_bytes).toBe(32 * 1024 ** 2);
    await containers.remove(id, { force: true });
  });

  test("top shows its processes, stats what they use", async () => {
    const id = await host.start({ command: ["sh", "-c", "sleep 1001 & sleep 1002; true"] });
    const { titles, processes } = await until(async () => {
      const table = await containers.top(id, []);
      return table.processes.some(line => line.at(-1) === "sleep 1002") ? table : undefined;
    });
    expect(titles).toEqual(["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
    expect(processes.map(line => line.at(-1))).toContain("sleep 1001");
    expect((await containers.top(id, ["-eo", "pid,comm"])).titles).toEqual(["PID", "COMMAND"]);
    await expect(containers.top(id, ["--nonsense"])).rejects.toMatchObject({ code: "invalid" });
    const stats = await containers.stats(id);
    expect(stats.pids).toBe(3);
    expect(stats.memoryUsage_bytes).toBeGreaterThan(0);
    await containers.remove(id, { force: true });
    await expect(containers.top(id, [])).rejects.toMatchObject({ code: "not_found" });
  });

  test("another process sees and ends what this one started", async () => {
    const id = await host.start();
    const other = openEngine(host.settings).engine.containers;
    expect((await other.inspect(id)).state.status).toBe("running");
    const ended = containers.wait(id);
    await other.kill(id, "KILL");
    expect((await ended).exitCode).toBe(137);
  });
});

describe("lists", () => {
  let own: TestHost;
  beforeAll(async () => {
    own = host;
    host = await makeHost();
    containers = host.engine.containers;
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    host = own;
  });

  test("list gives running ones, all, the newest, and what filters choose", async () => {
    const up = await host.start({ name: "web-1", labels: { tier: "front", app: "shop" }, exposedPorts: ["8080/tcp"] });
    const made = await host.create({ name: "web-2", labels: { tier: "back" } });
    const { id: failed } = await host.run({ name: "job-1", command: ["false"] });
    const ids = async (options: Parameters<typeof containers.list>[0]) =>
      (await containers.list(options)).map(({ id }) => id);
    expect(await ids({})).toEqual([up]);
    expect(await ids({ filters: { name: ["web-"] }, all: true })).toEqual([made, up]);
    expect(await ids({ limit: 1 })).toEqual([failed]);
    expect(await ids({ filters: { label: ["tier=front"] } })).toEqual([up]);
    expect(await ids({ all: true, filters: { "label!": ["tier"], name: ["web", "job-1"] } })).toEqual([failed]);
    expect(await ids({ filters: { status: ["created"], name: ["web"] } })).toEqual([made]);
    expect(await ids({ filters: { exited: ["1"], name: ["job"] } })).toEqual([failed]);
    expect(await ids({ all: true, filters: { since: [up], name: ["web", "job"] } })).toEqual([failed, made]);
    expect(await ids({ all: true, filters: { before: ["web-2"], name: ["web"] } })).toEqual([up]);
    expect(await ids({ filters: { ancestor: ["busybox"] } })).toEqual([up]);
    expect(await ids({ filters: { expose: ["8080"] } })).toEqual([up]);
    expect(await ids({ filters: { network: ["none"] } })).toEqual([up]);
    await expect(containers.list({ filters: { colour: ["red"] } })).rejects.toMatchObject({ code: "invalid" });
    for (const id of [up, made, failed]) await containers.remove(id, { force: true });
  });

  test("prune removes what does not run, and only that", async () => {
    const up = await host.start();
    const kept = await host.create({ labels: { keep: "yes" } });
    const { id: ended } = await host.run({ command: ["sh", "-c", "echo data > /file"] });
    const { removed, reclaimed_bytes } = await containers.prune({ filters: { "label!": ["keep"] } });
    expect(removed).toContain(ended);
    expect(removed).not.toContain(kept);
    expect(removed).not.toContain(up);
    expect(reclaimed_bytes).toBeGreaterThan(0);
    expect((await containers.prune({ filters: { until: ["1h"] } })).removed).toEqual([]);
    for (const id of [up, kept]) await containers.remove(id, { force: true });
  });

  test("info and disk usage count what there is", async () => {
    const id = await host.start({ command: ["sh", "-c", "dd if=/dev/zero of=/file bs=1k count=100; sleep 1000"] });
    const info = await host.engine.system.info();
    expect(info.containers.running).toBe(1);
    expect(info.images).toBe(1);
    expect(info.runtime.reason).not.toBe("");
    await until(async () => (await containers.sizes(id)).writable_bytes >= 100 * 1024);
    const usage = await host.engine.system.diskUsage();
    expect(usage.images[0]?.containers).toBeGreaterThanOrEqual(1);
    expect(usage.layers_bytes).toBeGreaterThan(500_000);
    await containers.remove(id, { force: true });
  });
});
