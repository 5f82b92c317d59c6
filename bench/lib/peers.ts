import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execute } from "./measure.ts";

export const projectRoot = join(import.meta.dirname, "../..");

/** A program with its own data, started for the measurement and gone after it. */
export interface Peer extends AsyncDisposable {
  name: string;
  directory: string;
  /** Runs its command line. */
  cli(...args: string[]): ReturnType<typeof execute>;
  /** Pids of its long-running parts. */
  pids(): number[];
  environment: NodeJS.ProcessEnv;
}

async function until(what: string, limit_ms: number, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + limit_ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${limit_ms} ms`);
    await sleep(20);
  }
}

/** Debian's docker CLI: the one that belongs to docker.io, whatever else is called docker. */
export const dockerProgram = existsSync("/usr/bin/docker") ? "/usr/bin/docker" : "docker";

/** A dockerd of its own, with nothing but what a fresh one has. */
export async function startDocker(): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), "berth-bench-docker-"));
  const environment = { ...process.env, DOCKER_HOST: `unix://${directory}/docker.sock`, DOCKER_CONFIG: directory };
  const log = openSync(join(directory, "log"), "a");
  const daemon: ChildProcess = spawn(
    "/usr/sbin/dockerd",
    // Without its firewall rules, which would outlive it and change the machine's forwarding. It is only quicker for that.
    [
      "--iptables=false",
      "--ip-masq=false",
      "--data-root",
      `${directory}/data`,
      "--exec-root",
      `${directory}/exec`,
      "--pidfile",
      `${directory}/pid`,
      "--host",
      `unix://${directory}/docker.sock`,
    ],
    { stdio: ["ignore", log, log] },
  );
  const cli = (...args: string[]) => execute(dockerProgram, args, { env: environment });
  await until(
    "dockerd",
    30_000,
    async () => (await execute(dockerProgram, ["version"], { env: environment, allowFailure: true })).code === 0,
  );
  return {
    name: "docker",
    directory,
    environment,
    cli,
    pids: () => [daemon.pid!, Number(readFileSync(`${directory}/exec/containerd/containerd.pid`, "utf8"))],
    async [Symbol.asyncDispose]() {
      daemon.kill("SIGTERM");
      await until("dockerd's end", 20_000, async () => daemon.exitCode !== null || daemon.signalCode !== null);
      await execute("ip", ["link", "delete", "docker0"], { allowFailure: true });
      await execute("sh", ["-c", `umount -R ${directory}/data/* ${directory}/exec/* 2>/dev/null; true`]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** This project's own programs, as built, with directories of their own. */
export async function startBerth(): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), "berth-bench-"));
  const run = mkdtempSync("/run/berth-bench-");
  const environment = {
    ...process.env,
    BERTH_ROOT: directory,
    BERTH_RUN: run,
    BERTH_INSTANCE: `bench${process.pid % 100000}`,
  };
  const program = join(projectRoot, "bin/berth");
  const cli = (...args: string[]) => execute(program, args, { env: environment });
  await cli("info");
  const pid = () => Number(readFileSync(join(run, "berthd.pid"), "utf8"));
  return {
    name: "berth",
    directory,
    environment,
    cli,
    pids: () => [pid()],
    async [Symbol.asyncDispose]() {
      await execute("sh", ["-c", `'${program}' rm -f $('${program}' ps -aq) 2>/dev/null; true`], { env: environment });
      await execute(program, ["system", "check", "--repair"], { env: environment, allowFailure: true });
      const daemon = pid();
      process.kill(daemon, "SIGTERM");
      await until("berthd's end", 20_000, async () => !existsSync(`/proc/${daemon}/exe`));
      // What is mounted below (files in memory, namespaces) goes first.
      await execute("sh", [
        "-c",
        `awk '$2 ~ "^${run}/|^${directory}/" { print $2 }' /proc/mounts | sort -r | xargs -r umount -l`,
      ]);
      rmSync(directory, { recursive: true, force: true });
      rmSync(run, { recursive: true, force: true });
    },
  };
}

/** The same small image in both: Debian's static busybox. */
export async function giveBusybox(docker: Peer, berth: Peer): Promise<void> {
  await berth.cli("image", "bootstrap", "-q", "busybox");
  const archive = join(berth.directory, "busybox.tar");
  await berth.cli("save", "-o", archive, "busybox");
  await docker.cli("load", "-i", archive);
  rmSync(archive);
}

/** Proportional set size: shared pages are counted once among those who share them. Bytes. */
export function memoryOf(pids: number[]): number {
  return pids.reduce(
    (sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))![1]) * 1024,
    0,
  );
}

/** Processes whose command line matches. */
export function processesMatching(pattern: RegExp): number[] {
  return readdirNumbers("/proc").filter(pid => {
    try {
      return pattern.test(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
    } catch {
      return false;
    }
  });
}

const readdirNumbers = (path: string) =>
  readdirSync(path)
    .filter(name => /^\d+$/.test(name))
    .map(Number);
