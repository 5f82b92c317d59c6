import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const projectRoot = join(import.meta.dirname, "../..");
const program = join(projectRoot, "bin/berth");

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  input?: string;
  /** Exit codes other than 0 are an error unless this is set. */
  mayFail?: boolean;
}

/** A host with the programs as users have them: `berth` starts its own berthd. */
export interface ProgramHost extends AsyncDisposable {
  root: string;
  run: string;
  environment: NodeJS.ProcessEnv;
  berth(args: string[], options?: RunOptions): Promise<Finished>;
  /** Started, and not waited for. */
  begin(
    args: string[],
    options?: RunOptions,
  ): { child: ChildProcess; finished: Promise<Finished>; output: () => string };
  berthdPid(): number | undefined;
  /** As a crash: no chance to clean up. Waits until it is gone. */
  killBerthd(): Promise<void>;
}

/** Waits until `condition` gives something; fails with what was waited for. */
export async function until<T>(what: string, condition: () => Promise<T | undefined | false>, limit_ms = 30_000) {
  const end_ms = performance.now() + limit_ms;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end_ms) throw new Error(`${what}: not within ${limit_ms} ms`);
    await sleep(50);
  }
}

let hosts = 0;

export async function makeProgramHost(): Promise<ProgramHost> {
  buildIfOld();
  const base = mkdtempSync(join(tmpdir(), "berth-p-"));
  const [root, run] = [join(base, "root"), join(base, "run")];
  const instance = `p${process.pid.toString(36)}${(hosts++).toString(36)}`;
  const environment = { ...process.env, BERTH_ROOT: root, BERTH_RUN: run, BERTH_INSTANCE: instance };
  const host = hostOf(root, run, environment);
  await host.berth(["image", "bootstrap", "-q", "busybox"]);
  return {
    ...host,
    async [Symbol.asyncDispose]() {
      await end(host);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

function hostOf(root: string, run: string, environment: NodeJS.ProcessEnv): Omit<ProgramHost, keyof AsyncDisposable> {
  const begin = (args: string[], { cwd = "/", env = {}, input = "" }: RunOptions = {}) => {
    const child = spawn(program, args, { cwd, env: { ...environment, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    const finished: Finished = { code: null, stdout: "", stderr: "" };
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => {
        finished[name] += text;
      });
    const ended = new Promise<Finished>(resolve => child.once("close", code => resolve({ ...finished, code })));
    return { child, finished: ended, output: () => finished.stdout + finished.stderr };
  };
  const berthdPid = () => {
    const path = join(run, "berthd.pid");
    const pid = existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
    return pid > 0 && isAlive(pid) ? pid : undefined;
  };
  return {
    root,
    run,
    environment,
    begin,
    berthdPid,
    async berth(args, options = {}) {
      const result = await begin(args, options).finished;
      if (result.code !== 0 && !options.mayFail)
        throw new Error(`berth ${args.join(" ")} ended with ${result.code}:\n${result.stdout}\n${result.stderr}`);
      return result;
    },
    async killBerthd() {
      const pid = berthdPid();
      if (pid === undefined) return;
      process.kill(pid, "SIGKILL");
      await until("berthd's end", async () => !isAlive(pid));
    },
  };
}

/** Not a zombie either: one whose parent is gone may stay for a moment. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function end(host: Omit<ProgramHost, keyof AsyncDisposable>): Promise<void> {
  const { stdout: apps } = await host.berth(["ls", "-q"], { mayFail: true });
  for (const app of apps.split("\n").filter(name => name !== ""))
    await host.berth(["-p", app, "down", "-v", "-t", "0"], { mayFail: true });
  const { stdout: ids } = await host.berth(["ps", "-aq"], { mayFail: true });
  const left = ids.split("\n").filter(id => id !== "");
  if (left.length > 0) await host.berth(["rm", "-f", "-v", ...left], { mayFail: true });
  await host.berth(["network", "prune", "-f"], { mayFail: true });
  const pid = host.berthdPid();
  if (pid !== undefined) {
    process.kill(pid, "SIGTERM");
    await until("berthd's end", async () => !isAlive(pid));
  }
  spawnSync("sh", [
    "-c",
    `grep -o ' ${host.run}[^ ]*' /proc/self/mounts | xargs -r umount -l; grep -o ' ${host.root}[^ ]*' /proc/self/mounts | xargs -r umount -l`,
  ]);
}

/** The programs are what the sources say; setting up builds them, and so does this after a change. */
function buildIfOld(): void {
  const built = statSync(join(projectRoot, "dist/berthd.main.cjs"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built > newest(join(projectRoot, "src"))) return;
  const { status, stderr } = spawnSync(process.execPath, [join(projectRoot, "scripts/build.ts")]);
  if (status !== 0) throw new Error(`building the programs failed:\n${stderr}`);
}

function newest(directory: string): number {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter(name => name.endsWith(".ts"));
  return Math.max(...files.map(name => statSync(join(directory, name)).mtimeMs));
}
