import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeProgramHost, type ProgramHost, until } from "./program-host.ts";

const seed = Number(process.env["BERTH_SEED"] ?? 1);
/** How long one kind of fault is tried. */
const tries_ms = Number(process.env["BERTH_FAULTS_MS"] ?? 20_000);

/** mulberry32: the same seed, the same moments. */
function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const file = (version: number) => `
name: chain
services:
  db:
    image: busybox
    init: true
    command: ["sleep", "1000"]
    healthcheck: {test: "true", interval: 1s, start_interval: 100ms, start_period: 5s}
    volumes: [data:/data]
    restart: always
  web:
    image: busybox
    init: true
    command: ["sleep", "1000"]
    environment: {VERSION: "${version}"}
    deploy: {replicas: 3, update_config: {parallelism: 1, order: start-first, monitor: 100ms}}
    depends_on: {db: {condition: service_healthy}}
    restart: always
volumes: {data: }
`;

describe("apps survive", () => {
  let host: ProgramHost;
  let directory: string;
  beforeEach(async () => {
    host = await makeProgramHost();
    directory = mkdtempSync(join(tmpdir(), "berth-chain-"));
  });
  afterEach(async () => {
    await host[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  const path = () => join(directory, "compose.yaml");
  const write = (version: number) => writeFileSync(path(), file(version));
  const berth = (...args: string[]) => host.berth(["-f", path(), ...args]);
  const may = (...args: string[]) => host.berth(["-f", path(), ...args], { mayFail: true });
  const containers = async () =>
    (await host.berth(["ps", "-a", "--format", "{{.Names}} {{.State}}"])).stdout
      .split("\n")
      .filter(row => row !== "")
      .sort();
  const all = ["chain-db-1 running", "chain-web-1 running", "chain-web-2 running", "chain-web-3 running"];

  it("kill -9 of berthd at any moment of an up, a rolling replace and a down", {
    timeout: tries_ms * 6 + 120_000,
  }, async () => {
    const random = randomOf(seed);
    const end_ms = performance.now() + tries_ms * 3;
    let tries = 0;
    for (let version = 1; performance.now() < end_ms; version++) {
      for (const args of [
        ["up", "-d"],
        ["up", "-d"],
        ["down", "-t", "1"],
      ]) {
        if (args[0] === "up") write(version * 2 + (tries % 2));
        const { finished } = host.begin(["-f", path(), ...args]);
        await sleep(random() * 2500);
        await host.killBerthd();
        await finished;
        tries++;
        // The next command starts berthd again, which finishes what was begun; the same command finds nothing left to do, or does the rest.
        await may(...args, ...(args[0] === "up" ? ["--force"] : []));
        if (args[0] === "up") {
          await until(
            "all tasks, each once",
            async () => JSON.stringify(await containers()) === JSON.stringify(all),
            30_000,
          );
          const { stdout } = await berth("app", "exec", "-T", "web", "sh", "-c", "echo $VERSION");
          expect(stdout, `try ${tries} of seed ${seed}`).toBe(
            `${/VERSION: "(\d+)"/.exec(readFileSync(path(), "utf8"))![1]}\n`,
          );
        } else {
          await until("nothing left", async () => (await containers()).length === 0, 30_000);
          const { stdout } = await host.berth(["network", "ls", "--format", "{{.Name}}"]);
          expect(stdout).not.toContain("chain_default");
        }
      }
    }
    console.log(`${tries} kills of berthd, seed ${seed}`);
  });

  it("a reboot of the host: everything comes back, dependencies first", async () => {
    write(1);
    await berth("up", "-d");
    await host.killBerthd();
    powerOff(host.run);
    await host.berth(["ls"]);
    await until("all tasks", async () => JSON.stringify(await containers()) === JSON.stringify(all), 40_000);
    const { stdout } = await host.berth(["container", "inspect", "chain-db-1", "chain-web-1"]);
    const [db, web] = JSON.parse(stdout).map((found: { state: { startedAt: string } }) =>
      Date.parse(found.state.startedAt),
    );
    expect(db).toBeLessThan(web);
  });

  it("two ups at once: both end well or one is told who changes the app, and every task is there once", async () => {
    write(1);
    const both = await Promise.all([may("up", "-d"), may("up", "-d")]);
    const refused = both.filter(({ code }) => code !== 0);
    expect(refused.length).toBeLessThan(2);
    for (const { stderr } of refused)
      expect(stderr).toMatch(/is being changed by|was changed by somebody else|plan again/);
    await until("all tasks", async () => JSON.stringify(await containers()) === JSON.stringify(all));
  });

  it("an up that is older than the newest version is refused unless forced", async () => {
    write(1);
    await berth("up", "-d");
    write(2);
    await berth("up", "-d");
    write(1);
    const refused = await may("up", "-d");
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("berth rollback chain 1");
    await berth("up", "-d", "--force");
    expect((await berth("app", "exec", "-T", "web", "sh", "-c", "echo $VERSION")).stdout).toBe("1\n");
  });

  it("Ctrl-C during an up: the second up finishes it", async () => {
    write(1);
    const { child, finished, output } = host.begin(["-f", path(), "up", "-d"]);
    await until("the first task", async () => output().includes("chain-db-1"));
    child.kill("SIGINT");
    expect((await finished).code).toBe(130);
    await berth("up", "-d");
    expect(await containers()).toEqual(all);
  });
});

/** What a power cut takes: every process of the containers and their monitors, and all that was in memory. */
function powerOff(run: string): void {
  const own = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(run);
    } catch {
      return false;
    }
  };
  const monitors = readdirSync("/proc").filter(name => /^\d+$/.test(name) && Number(name) !== process.pid && own(name));
  for (const pid of monitors) {
    const children = spawnSync("pgrep", ["-P", pid], { encoding: "utf8" }).stdout.split("\n");
    for (const each of [pid, ...children.filter(line => line !== "")]) {
      try {
        process.kill(Number(each), "SIGKILL");
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown;
      }
    }
  }
  spawnSync("sh", ["-c", `grep -o ' ${run}[^ ]*' /proc/self/mounts | sort -r | xargs -r umount -l; rm -rf '${run}'`]);
}
