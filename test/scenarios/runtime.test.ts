import { readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { cgroups, host, logged, prepareRuntimeTests, tryRead, until, Yard } from "./runtime-yard.ts";

prepareRuntimeTests();
const locks = new FileLocks(systemClock);

describe("a container's life", () => {
  test("a program runs, its output is logged byte for byte and its exit code recorded", async () => {
    await using yard = new Yard();
    const container = await yard.create(["sh", "-c", "printf 'a\\001b\\n  c'; echo no >&2; exit 7"]);
    expect(await yard.runtime.state(container.id)).toEqual({ status: "created", pid: container.pid });
    await yard.runtime.start(container.id);
    expect(await yard.ended(container)).toMatchObject({ exitCode: 7, oomKilled: false });
    expect(logged(container.logPath, "stdout")).toBe("a\u0001b\n  c");
    expect(logged(container.logPath, "stderr")).toBe("no\n");
    expect(await yard.runtime.state(container.id)).toEqual({ status: "stopped", pid: 0 });
    await yard.runtime.delete(container.id);
    await yard.runtime.delete(container.id);
    expect(await yard.runtime.state(container.id)).toBeUndefined();
    expect(await yard.runtime.list()).toEqual([]);
    expect(cgroups.exists(container.cgroupPath)).toBe(false);
    yard.runtime.forget(container);
    expect(yard.runtime.exitOf(container)).toBeUndefined();
  });

  test("the other runtime does the same", async () => {
    const name = (await new Yard().runtime.info()).name === "crun" ? "runc" : "crun";
    await using yard = new Yard(name as "runc" | "crun");
    expect((await yard.runtime.info()).name).toBe(name);
    const container = await yard.started(["sh", "-c", "echo up; sleep 100"]);
    await until(() => logged(container.logPath, "stdout") === "up\n");
    expect(await yard.shell(container, "exit 3")).toEqual({ output: "", code: 3 });
    await yard.runtime.kill(container.id, "KILL");
    expect((await yard.ended(container)).exitCode).toBe(137);
    await yard.runtime.delete(container.id);
    expect(cgroups.exists(container.cgroupPath)).toBe(false);
  });

  test("signals arrive, by name and number", async () => {
    await using yard = new Yard();
    const container = await yard.started([
      "sh",
      "-c",
      "trap 'echo got; exit 5' USR1; echo up; while :; do sleep 0.01; done",
    ]);
    await until(() => logged(container.logPath, "stdout") === "up\n");
    await yard.runtime.kill(container.id, "SIGUSR1");
    expect((await yard.ended(container)).exitCode).toBe(5);
    const other = await yard.started(["sleep", "100"]);
    await yard.runtime.kill(other.id, "9");
    expect((await yard.ended(other)).exitCode).toBe(137);
    await expect(yard.runtime.kill(other.id, "TERM")).rejects.toThrow(/does not run/);
    await expect(yard.runtime.kill(other.id, "SIGNOPE")).rejects.toThrow();
  });

  test("the exit command runs after the exit code is recorded, and the lock is held until then", async () => {
    await using yard = new Yard();
    const lockPath = join(yard.run, "lock");
    const lock = await locks.acquire(lockPath);
    const note = join(yard.run, "note");
    const container = await yard.create(["sh", "-c", "exit 4"], {
      lockFd: lock.fd,
      exitCommand: ["/bin/sh", "-c", `ls ${yard.runtime.exitsDirectory} > ${note}.new; mv ${note}.new ${note}`],
    });
    await lock[Symbol.asyncDispose]();
    expect(locks.isHeld(lockPath)).toBe(true);
    await yard.runtime.start(container.id);
    expect(await until(() => tryRead(note))).toBe(`${container.id}\n`);
    await until(() => !locks.isHeld(lockPath));
  });

  test("delete refuses a running container, and by force ends all that is in it", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sh", "-c", "sleep 100 & sleep 100; true"]);
    await expect(yard.runtime.delete(container.id)).rejects.toThrow(/still runs/);
    expect(await until(() => sleepers(container.cgroupPath))).toHaveLength(3);
    await yard.runtime.delete(container.id, { force: true });
    expect(cgroups.exists(container.cgroupPath)).toBe(false);
    expect((await yard.ended(container)).exitCode).toBe(137);
  });

  async function sleepers(path: string) {
    const pids = await cgroups.processes(path);
    return pids.length === 3 ? pids : undefined;
  }
});

describe("a making that was killed half-way", () => {
  test("leaves nothing once it is deleted, and the container can be made again", async () => {
    await using yard = new Yard();
    for (let delay_ms = 0; delay_ms < 40; delay_ms += 4) {
      const id = newId();
      const stop = new AbortController();
      const making = yard.create(["sleep", "100"], { id, signal: stop.signal });
      await systemClock.sleep(delay_ms);
      stop.abort(new Error("killed"));
      await making.catch(() => undefined);
      await yard.runtime.delete(id, { force: true });
      expect(await yard.runtime.list()).toEqual([]);
      expect(cgroups.exists(yard.cgroupPath(id))).toBe(false);
      const again = await yard.started(["true"], { id });
      expect((await yard.ended(again)).exitCode).toBe(0);
      await yard.runtime.delete(id);
    }
  });

  test("what an earlier run left is no obstacle, but a running container is", async () => {
    await using yard = new Yard();
    const first = await yard.started(["true"]);
    await yard.ended(first);
    const second = await yard.started(["sleep", "100"], { id: first.id });
    expect(yard.runtime.exitOf(second)).toBeUndefined();
    await expect(yard.create(["true"], { id: first.id })).rejects.toMatchObject({ code: "conflict" });
    expect((await yard.runtime.state(first.id))!.status).toBe("running");
  });
});

describe("control groups", () => {
  test("pause stops everything, resume lets it go on, and kill works on a paused container", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sh", "-c", "while :; do echo x; sleep 0.01; done"]);
    const size = () => readFileSync(container.logPath).length;
    await until(() => size() > 0);
    await yard.runtime.pause(container.id);
    expect((await yard.runtime.state(container.id))!.status).toBe("paused");
    const frozen = (await cgroups.stats(container.cgroupPath)).cpuTotal_ns;
    await systemClock.sleep(50);
    expect((await cgroups.stats(container.cgroupPath)).cpuTotal_ns).toBe(frozen);
    await yard.runtime.resume(container.id);
    const before = size();
    await until(() => size() > before);
    await yard.runtime.pause(container.id);
    await yard.runtime.kill(container.id, "KILL");
    expect((await yard.ended(container)).exitCode).toBe(137);
  });

  test("limits hold, show in the statistics, and can be changed while it runs", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sleep", "100"], {
      spec: { resources: { memory_bytes: 64 << 20, pidsLimit: 20, nanoCpus: 5e8 } },
    });
    expect(await cgroups.stats(container.cgroupPath)).toMatchObject({
      memoryLimit_bytes: 64 << 20,
      pids: 1,
      pidsLimit: 20,
      onlineCpus: host.facts().cpus,
    });
    await yard.runtime.update(container.id, { memory: { limit: 128 << 20, swap: 256 << 20 }, pids: { limit: 30 } });
    expect(await cgroups.stats(container.cgroupPath)).toMatchObject({ memoryLimit_bytes: 128 << 20, pidsLimit: 30 });
    await expect(yard.runtime.update(container.id, { cpu: { cpus: "4000" } })).rejects.toThrow(/changing the limits/);
  });

  test("a container that takes too much memory is killed, and its record says why", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sh", "-c", "x=a; while :; do x=$x$x; done"], {
      spec: { resources: { memory_bytes: 8 << 20, memorySwap_bytes: 8 << 20 } },
    });
    expect(await yard.ended(container)).toMatchObject({ exitCode: 137, oomKilled: true });
  });
});

/** Gone, or a zombie until the first process of the machine gets round to it. */
function hasEnded(pid: number): boolean {
  const stat = tryRead(`/proc/${pid}/stat`);
  return stat === undefined || / Z /.test(stat);
}

describe("the monitor", () => {
  test("goes on in a new log file after the old one was renamed, losing nothing", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sh", "-c", "for i in $(seq 2000); do echo $i; done"]);
    renameSync(container.logPath, `${container.logPath}.1`);
    await yard.runtime.reopenLog(container).catch(() => undefined);
    await yard.ended(container);
    const all = [`${container.logPath}.1`, container.logPath].map(path =>
      tryRead(path) ? logged(path, "stdout") : "",
    );
    expect(all.join("")).toBe(Array.from({ length: 2000 }, (_, index) => `${index + 1}\n`).join(""));
  });

  test.each(["crun", "runc"] as const)(
    "killed with -9 (%s), it leaves the container running, which can still be told and ended",
    async name => {
      await using yard = new Yard(name);
      const lockPath = join(yard.run, "lock");
      const lock = await locks.acquire(lockPath);
      const container = await yard.started(["sh", "-c", "echo up; sleep 100"], { lockFd: lock.fd });
      await lock[Symbol.asyncDispose]();
      await until(() => logged(container.logPath, "stdout") === "up\n");
      expect(readdirSync(`/proc/${container.pid}/fd`)).toEqual(["0", "1", "2"]);
      expect(locks.isHeld(lockPath)).toBe(true);
      process.kill(container.monitorPid, "SIGKILL");
      await until(() => hasEnded(container.monitorPid));
      expect(locks.isHeld(lockPath)).toBe(false);
      expect((await yard.runtime.state(container.id))!.status).toBe("running");
      await expect(yard.runtime.attach({ ...container, stdin: false, tty: false })).rejects.toThrow(/no monitor/);
      await expect(yard.runtime.resize({ ...container, rows: 1, columns: 1 })).rejects.toThrow(/no monitor/);
      expect((await yard.shell(container, "echo alive")).output).toBe("alive\n");
      await yard.runtime.delete(container.id, { force: true });
      expect(yard.runtime.exitOf(container)).toBeUndefined();
      expect(cgroups.exists(container.cgroupPath)).toBe(false);
    },
  );
});
