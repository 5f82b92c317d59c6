import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { LinuxCgroups } from "../../src/drivers/cgroup/linux-cgroups.ts";
import { ConmonRuntime } from "../../src/drivers/conmon/conmon-runtime.ts";
import { LinuxHost } from "../../src/drivers/host/linux-host.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { buildRuntimeSpec } from "../../src/engine/spec/build-runtime-spec.ts";
import type { RuntimeSpecInput } from "../../src/engine/spec/input.ts";
import type { CreateInput, ExecInput, ExitRecord, RuntimeStreams } from "../../src/ports/runtime.ts";

const root = mkdtempSync(join(tmpdir(), "berth-runtime-test-"));
const rootfs = join(root, "rootfs");
const group = `berth-runtime-test-${randomBytes(4).toString("hex")}`;
const host = new LinuxHost();
const cgroups = new LinuxCgroups(systemClock);
const locks = new FileLocks(systemClock);
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

beforeAll(() => {
  for (const path of ["bin", "etc", "proc", "sys", "dev", "tmp"]) mkdirSync(join(rootfs, path), { recursive: true });
  copyFileSync("/bin/busybox", join(rootfs, "bin/busybox"));
  for (const name of "sh true false cat echo sleep dd stty tty env id kill seq wc yes head tail test trap ulimit".split(
    " ",
  )) {
    symlinkSync("busybox", join(rootfs, "bin", name));
  }
  writeFileSync(join(rootfs, "bin/not-executable"), "#!/bin/sh\n", { mode: 0o644 });
});

afterAll(async () => {
  await cgroups.remove(`/${group}`);
  rmSync(root, { recursive: true, force: true });
});

type Overrides = Partial<Omit<CreateInput, "id" | "bundle">> & {
  spec?: Partial<RuntimeSpecInput["spec"]>;
  input?: Partial<RuntimeSpecInput>;
};

/** Containers of one test, which are gone at its end. */
class Yard implements AsyncDisposable {
  readonly runtime: ConmonRuntime;
  readonly run = mkdtempSync(join(root, "run-"));
  readonly #ids: string[] = [];

  constructor(runtime?: "runc" | "crun") {
    this.runtime = new ConmonRuntime({
      runDirectory: this.run,
      searchPath,
      clock: systemClock,
      cacheDirectory: root,
      runtime,
    });
  }

  async create(args: string[], overrides: Overrides = {}) {
    const { spec, input, ...create } = overrides;
    const id = newId();
    const bundle = join(this.run, "c", id);
    const logPath = join(bundle, "log");
    mkdirSync(bundle, { recursive: true });
    const built = buildRuntimeSpec({
      id,
      spec: {
        image: "test",
        env: [],
        labels: {},
        mounts: [],
        ports: [],
        namespaces: {},
        resources: {},
        restart: { name: "no" },
        log: { driver: "", options: {} },
        tty: create.tty,
        ...spec,
      },
      process: { args, env: [], workingDir: "", user: "" },
      hostname: "box",
      rootfsPath: rootfs,
      passwd: "",
      group: "",
      mounts: [],
      files: {},
      namespaces: { network: "private", pid: "private", ipc: "private", uts: "private", cgroup: "private" },
      cgroupPath: `/${group}/${id}`,
      deviceNodes: new Map(),
      host: host.facts(),
      ...input,
    });
    writeFileSync(join(bundle, "config.json"), JSON.stringify(built.spec));
    this.#ids.push(id);
    const made = await this.runtime.create({
      id,
      bundle,
      tty: false,
      openStdin: false,
      stdinOnce: false,
      logPath,
      exitCommand: [],
      ...create,
    });
    return { id, bundle, logPath, cgroupPath: `/${group}/${id}`, ...made };
  }

  async started(args: string[], overrides: Overrides = {}) {
    const container = await this.create(args, overrides);
    await this.runtime.start(container.id);
    return container;
  }

  async ended(container: { id: string; bundle: string }): Promise<ExitRecord> {
    return until(() => this.runtime.exitOf(container));
  }

  /** An exec of the shell's, to its end. */
  async shell(container: { id: string; bundle: string }, line: string) {
    const running = await this.runtime.exec(this.execInput(container, ["sh", "-c", line]));
    const output = await text(running);
    return { output, code: await running.exit };
  }

  execInput(container: { id: string; bundle: string }, args: string[], more: Partial<ExecInput> = {}): ExecInput {
    return {
      id: container.id,
      execId: newId(),
      bundle: container.bundle,
      process: { terminal: more.tty ?? false, user: { uid: 0, gid: 0 }, args, env: ["PATH=/bin"], cwd: "/" },
      tty: false,
      stdin: false,
      detach: false,
      ...more,
    };
  }

  async [Symbol.asyncDispose]() {
    for (const id of this.#ids) await this.runtime.delete(id, { force: true });
  }
}

async function until<T>(
  find: () => T | undefined | false | Promise<T | undefined | false>,
  limit_ms = 20_000,
): Promise<T> {
  const end_ms = systemClock.now_ms() + limit_ms;
  while (true) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (systemClock.now_ms() > end_ms) throw new Error(`waited ${limit_ms} ms in vain for ${find}`);
    await systemClock.sleep(1);
  }
}

async function text(streams: RuntimeStreams): Promise<string> {
  let all = "";
  for await (const { data } of streams.output) all += data.toString("latin1");
  return all;
}

/** Reads until the words come. */
async function expectOutput(output: AsyncIterator<{ data: Buffer }>, words: string | RegExp): Promise<string> {
  let all = "";
  while (!(typeof words === "string" ? all.includes(words) : words.test(all))) {
    const next = await output.next();
    if (next.done) throw new Error(`the output ended with '${all}', without ${words}`);
    all += next.value.data.toString("latin1");
  }
  return all;
}

/** The bytes that a monitor's log stands for, one stream at a time. */
function logged(path: string, stream: "stdout" | "stderr"): string {
  return readFileSync(path, "latin1")
    .split("\n")
    .flatMap(line => {
      const [, name, kind, data] = /^\S+ (stdout|stderr) ([FP]) (.*)$/s.exec(line) ?? [];
      return name === stream ? [data + (kind === "F" ? "\n" : "")] : [];
    })
    .join("");
}

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

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

describe("attach", () => {
  test("gives both streams from the first byte, and takes input to its end", async () => {
    await using yard = new Yard();
    const container = await yard.create(["sh", "-c", "echo err >&2; cat; echo done"], {
      openStdin: true,
      stdinOnce: true,
    });
    await using streams = await yard.runtime.attach({ ...container, stdin: true, tty: false });
    await yard.runtime.start(container.id);
    const input = randomBytes(300_000).toString("base64");
    streams.stdin!.end(input);
    const received = { stdout: "", stderr: "" };
    for await (const { stream, data } of streams.output) received[stream] += data.toString("latin1");
    expect(received.stderr).toBe("err\n");
    expect(received.stdout === `${input}done\n`).toBe(true);
    expect((await yard.ended(container)).exitCode).toBe(0);
  });

  test("a client that leaves does not end the input of a container that keeps it open", async () => {
    await using yard = new Yard();
    const container = await yard.started(["cat"], { openStdin: true });
    for (const word of ["one", "two"]) {
      await using streams = await yard.runtime.attach({ ...container, stdin: true, tty: false });
      streams.stdin!.write(`${word}\n`);
      await expectOutput(streams.output[Symbol.asyncIterator](), word);
    }
    expect(logged(container.logPath, "stdout")).toBe("one\ntwo\n");
  });

  test("a terminal has the size that it was told, before the start and later", async () => {
    await using yard = new Yard();
    const container = await yard.create(
      ["sh", "-c", "trap 'stty size' WINCH; echo first; stty size; while :; do sleep 0.01; done"],
      {
        tty: true,
      },
    );
    await using streams = await yard.runtime.attach({ ...container, stdin: true, tty: true });
    const output = streams.output[Symbol.asyncIterator]();
    await yard.runtime.resize({ ...container, rows: 33, columns: 101 });
    await yard.runtime.start(container.id);
    await expectOutput(output, "first\r\n33 101\r\n");
    await yard.runtime.resize({ ...container, rows: 20, columns: 80 });
    await expectOutput(output, "20 80\r\n");
  });

  test("a reader that stalls does not stop the container, and is told what it missed", async () => {
    await using yard = new Yard();
    const container = await yard.create(["sh", "-c", "dd if=/dev/zero bs=1M count=40 2>/dev/null; echo end"], {
      logPath: undefined,
    });
    await using streams = await yard.runtime.attach({ ...container, stdin: false, tty: false });
    const output = streams.output[Symbol.asyncIterator]();
    await yard.runtime.start(container.id);
    expect((await yard.ended(container)).exitCode).toBe(0);
    let size = 0;
    let rest = "";
    for (let next = await output.next(); !next.done; next = await output.next()) {
      size += next.value.data.length;
      rest = (rest + next.value.data.toString("latin1")).slice(-10);
      if (next.value.stream === "stderr") expect(next.value.data.toString()).toMatch(/\d+ bytes of output are missing/);
    }
    expect(size).toBeLessThan(20 << 20);
    expect(rest.endsWith("end\n")).toBe(true);
  });

  test("works where the path of the socket is longer than sockets allow", async () => {
    await using yard = new Yard();
    const container = await yard.create(["echo", "hi"]);
    expect(container.bundle.length).toBeGreaterThan(107);
    await using streams = await yard.runtime.attach({ ...container, stdin: false, tty: false });
    await yard.runtime.start(container.id);
    expect(await text(streams)).toBe("hi\n");
  });
});

describe("exec", () => {
  test("gives the program's streams and exit code", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sleep", "100"]);
    await using running = await yard.runtime.exec(
      yard.execInput(container, ["sh", "-c", "cat; echo no >&2; exit 9"], { stdin: true }),
    );
    running.stdin!.end("typed");
    const received = { stdout: "", stderr: "" };
    for await (const { stream, data } of running.output) received[stream] += data.toString();
    expect(received).toEqual({ stdout: "typed", stderr: "no\n" });
    expect(await running.exit).toBe(9);
  });

  test("a program that is not there gives 127, one that cannot be run 126", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sleep", "100"]);
    for (const tty of [false, true]) {
      await expect(yard.runtime.exec(yard.execInput(container, ["nope"], { tty }))).rejects.toMatchObject({
        code: "invalid",
        details: { exitCode: 127 },
      });
      await expect(
        yard.runtime.exec(yard.execInput(container, ["/bin/not-executable"], { tty })),
      ).rejects.toMatchObject({ code: "invalid", details: { exitCode: 126 } });
    }
    await expect(yard.create(["nope"])).rejects.toMatchObject({ details: { exitCode: 127 } });
    await expect(yard.create(["/bin/not-executable"])).rejects.toMatchObject({ details: { exitCode: 126 } });
  });

  test("with a terminal: its size, input and exit code", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sleep", "100"]);
    const input = yard.execInput(container, ["sh", "-c", "read line; stty size; tty; echo $line; exit 6"], {
      tty: true,
      stdin: true,
    });
    await using running = await yard.runtime.exec(input);
    await yard.runtime.resize({ ...container, execId: input.execId, rows: 12, columns: 34 });
    running.stdin!.write("hello\n");
    const all = await text(running);
    expect(all).toContain("12 34\r\n/dev/pts/0\r\nhello\r\n");
    expect(await running.exit).toBe(6);
  });

  test("detached: it goes on by itself and its exit code can be asked for", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sleep", "100"]);
    const input = yard.execInput(container, ["sh", "-c", "sleep 0.1; exit 8"], { detach: true });
    const { pid } = await yard.runtime.exec(input);
    expect(await cgroups.processes(container.cgroupPath)).toContain(pid);
    expect(yard.runtime.exitOf(container)).toBeUndefined();
    const target = { id: container.id, bundle: container.bundle, execId: input.execId };
    expect((await until(() => yard.runtime.exitOf(target))).exitCode).toBe(8);
    expect(yard.runtime.exitOf(container)).toBeUndefined();
    yard.runtime.forget(target);
    expect(yard.runtime.exitOf(target)).toBeUndefined();
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

  test("killed with -9, it leaves the container running, which can still be told and ended", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sh", "-c", "echo up; sleep 100"]);
    await until(() => logged(container.logPath, "stdout") === "up\n");
    process.kill(container.monitorPid, "SIGKILL");
    await until(() => hasEnded(container.monitorPid));
    expect((await yard.runtime.state(container.id))!.status).toBe("running");
    await expect(yard.runtime.attach({ ...container, stdin: false, tty: false })).rejects.toThrow(/no monitor/);
    await expect(yard.runtime.resize({ ...container, rows: 1, columns: 1 })).rejects.toThrow(/no monitor/);
    expect((await yard.shell(container, "echo alive")).output).toBe("alive\n");
    await yard.runtime.delete(container.id, { force: true });
    expect(yard.runtime.exitOf(container)).toBeUndefined();
    expect(cgroups.exists(container.cgroupPath)).toBe(false);
  });
});
