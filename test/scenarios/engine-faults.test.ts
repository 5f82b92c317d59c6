import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { makeHost, openEngine, plainSpec, type TestHost, until } from "./harness.ts";

/** Tries in the loop; each kills something at a random moment. BERTH_FAULT_TRIES and BERTH_FAULT_SEED repeat what failed. */
const tries = Number(process.env["BERTH_FAULT_TRIES"] ?? 200);
const seed = Number(process.env["BERTH_FAULT_SEED"] ?? 1);

/** Mulberry32: small, and the same everywhere. */
function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A process that does operations when told, so that it can be killed in the middle of one. */
class Victim {
  readonly #host: TestHost;
  #child: ReturnType<typeof spawn> | undefined;
  constructor(host: TestHost) {
    this.#host = host;
  }

  async ready(): Promise<NonNullable<typeof this.child>> {
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) return this.#child;
    const { root, run, instance } = this.#host.settings;
    const program = join(import.meta.dirname, "engine-process.ts");
    this.#child = spawn(process.execPath, [program, root, run, instance, "serve"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    await once(this.#child.stdout!, "data");
    return this.#child;
  }

  get child() {
    return this.#child;
  }

  /** Resolves when the operations have ended, or the process has. */
  async does(...operations: [verb: string, argument: string][]): Promise<void> {
    const child = await this.ready();
    const done = Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
    child.stdin!.write(`${JSON.stringify(operations)}\n`);
    await done;
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async end(): Promise<void> {
    if (!this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.kill();
    await ended;
  }
}

/** Pids of this host's monitors and runtimes: their command lines name its directories. */
function helpers(host: TestHost, program: RegExp): number[] {
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        return line.includes(host.settings.run) && program.test(line.split("\0")[0] ?? "");
      } catch {
        return false;
      }
    });
}

function killPid(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was quicker.
  }
}

const sleep = (delay_ms: number) => new Promise(resolve => setTimeout(resolve, delay_ms));

/** Containers that are worked on at once, so that one kill hits several operations at different steps. */
const atOnce = 5;

test(`${tries} operations killed at random moments leave a state that is consistent and leaks nothing`, async () => {
  await using host = await makeHost();
  // As if berthd were there: exits are finished by whoever comes next, not by a further process for each.
  await using _supervised = await new FileLocks(systemClock).acquire(join(host.settings.run, "supervisor.lock"));
  const random = randomFrom(seed);
  const { containers, system } = host.engine;
  const victim = new Victim(host);
  // One that lives through everything: what is repaired must never touch it.
  const witness = await host.start({ namespaces: { network: "bridge" }, name: "witness" });
  for (let round = 0; round * atOnce < tries; round++) {
    const operations = await Promise.all(Array.from({ length: atOnce }, () => prepare(host, random)));
    await victim.ready();
    const working = victim.does(...operations);
    await sleep(random() ** 2 * 250);
    const target = random();
    if (target < 0.6) victim.kill();
    else if (target < 0.8) for (const pid of helpers(host, /conmon$/)) if (!isOf(witness, pid)) killPid(pid);
    if (target >= 0.8) for (const pid of helpers(host, /(crun|runc)$/)) killPid(pid);
    await working;
    const when = `seed ${seed}, round ${round}: ${operations.map(([verb]) => verb)}`;
    await system.check({ repair: true });
    const { findings } = await system.check();
    expect(
      findings.filter(sentence => !/runs without a monitor/.test(sentence)),
      when,
    ).toEqual([]);
    const left = (await containers.list({ all: true })).map(({ id }) => id).filter(id => id !== witness);
    await Promise.all(left.map(id => containers.remove(id, { force: true, volumes: true })));
    expect((await system.check()).findings, `${when}, after removing`).toEqual([]);
    expect(await host.engine.volumes.list(), when).toEqual([]);
  }
  expect((await host.exec(witness, "echo", "alive")).output).toBe("alive\n");
  await victim.end();
}, 900_000);

/** A container in some state, and an operation for it. */
async function prepare({ create, engine }: TestHost, random: () => number): Promise<[verb: string, argument: string]> {
  const volume = { type: "volume" as const, source: "", target: "/var/data" };
  const network = random() < 0.5 ? "bridge" : "none";
  const spec = { namespaces: { network }, command: ["sleep", "1000"], mounts: random() < 0.3 ? [volume] : [] };
  const kind = random();
  if (kind < 0.2) return ["create", JSON.stringify(spec)];
  const id = await create(spec);
  if (kind < 0.6) return ["start", id];
  if (kind < 0.7) return ["remove", id];
  await engine.containers.start(id);
  return [kind < 0.85 ? "stop" : "remove", id];
}

function isOf(id: string, pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(id);
  } catch {
    return false;
  }
}

describe("when something is killed", () => {
  test("a killed monitor is reported; the container goes on, can be stopped, and its end is known as lost", async () => {
    await using host = await makeHost();
    const { containers } = host.engine;
    const id = await host.start();
    for (const pid of helpers(host, /conmon$/)) killPid(pid);
    const state = await until(async () => {
      const now = (await containers.inspect(id)).state;
      return now.error ? now : undefined;
    });
    expect(state).toMatchObject({ status: "running", error: expect.stringContaining("unmonitored") });
    expect((await host.engine.system.check()).findings).toEqual([expect.stringContaining("without a monitor")]);
    await containers.stop(id, { timeout_ms: 0 });
    expect((await containers.inspect(id)).state).toMatchObject({ status: "exited", exitCode: 255 });
    await containers.start(id);
    expect((await containers.inspect(id)).state).toMatchObject({ status: "running", error: "" });
  });

  test("two programs that act on one container at once agree about it", async () => {
    await using host = await makeHost();
    const other = openEngine(host.settings).engine.containers;
    const { containers } = host.engine;
    const id = await host.create({ command: ["sleep", "1000"] });
    const starts = await Promise.allSettled([containers.start(id), other.start(id), containers.start(id)]);
    expect(starts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const ends = await Promise.allSettled([
      containers.stop(id, { timeout_ms: 0 }),
      other.restart(id, { timeout_ms: 0 }),
    ]);
    expect(ends.some(({ status }) => status === "fulfilled")).toBe(true);
    const removals = await Promise.allSettled([
      containers.remove(id, { force: true }),
      other.remove(id, { force: true }),
      other.start(id),
    ]);
    expect(removals.slice(0, 2).some(({ status }) => status === "fulfilled")).toBe(true);
    await expect(containers.inspect(id)).rejects.toMatchObject({ code: "not_found" });
    expect((await host.engine.system.check()).findings).toEqual([]);
  });

  test("after the host was restarted, what ran is known to have ended, and what should run does again", async () => {
    await using host = await makeHost();
    const { containers } = host.engine;
    const plain = await host.start({ name: "plain" });
    const always = await host.start({ name: "always", restart: { name: "always" } });
    // A restart of the host as the engine sees it: processes gone, the run directory empty, another boot.
    for (const pid of helpers(host, /conmon$/)) killPid(pid);
    for (const id of [plain, always]) killPid((await containers.inspect(id)).state.pid);
    await until(async () => (await containers.inspect(plain)).state.status === "exited");
    expect((await containers.inspect(plain)).state.exitCode).toBe(255);
    const stop = new AbortController();
    const supervising = host.engine.supervise({ signal: stop.signal, boot: true });
    await until(async () => (await containers.inspect(always)).state.status === "running", 20_000);
    expect((await containers.inspect(plain)).state.status).toBe("exited");
    stop.abort();
    await supervising;
  });

  test("a full disk fails the container's write, and nothing else", async () => {
    await using host = await makeHost();
    const { exitCode, output } = await host.run({
      command: ["sh", "-c", "dd if=/dev/zero of=/small/file bs=64k count=100 2>&1 | head -1; test -s /small/file"],
      mounts: [{ type: "tmpfs", target: "/small", size_bytes: 256 * 1024 }],
    });
    expect(output).toMatch(/No space left/);
    expect(exitCode).toBe(0);
  });

  test("a creator that is killed gives its name back", async () => {
    await using host = await makeHost();
    const { names, creating } = {
      names: join(host.settings.root, "names"),
      creating: join(host.settings.root, "creating"),
    };
    const victim = new Victim(host);
    await victim.ready();
    const operation = victim.does(["create", JSON.stringify(plainSpec({ name: "ghost" }))]);
    await until(() => existsSync(join(names, "ghost")) || readdirSync(creating).length > 0);
    victim.kill();
    await operation;
    const made = await host.engine.containers.list({ all: true });
    if (made.length === 0) await host.create({ name: "ghost" });
    expect((await host.engine.containers.inspect("ghost")).name).toBe("ghost");
    await host.engine.system.check({ repair: true });
  });
});
