import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { isCode } from "../../src/base/errors.ts";
import { importBusybox } from "./busybox-image.ts";
import { openEngine, until } from "./harness.ts";

const project = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** Debian's: another one may be first in the path. */
const dockerProgram = ["/usr/bin/docker", "/usr/local/bin/docker"].find(existsSync) ?? "docker";

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

let count = 0;

/** berthd as users have it, built and in directories of its own, with busybox as its only image. */
export class DockerHost implements AsyncDisposable {
  readonly directory: string;
  readonly socket: string;
  readonly log: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly #settings: { root: string; run: string; instance: string; debug: boolean };
  readonly #more: NodeJS.ProcessEnv;
  #daemon: ReturnType<typeof spawn> | undefined;

  private constructor(directory: string, more: NodeJS.ProcessEnv) {
    this.directory = directory;
    const instance = `d${process.pid.toString(36)}${(count++).toString(36)}`;
    this.#settings = { root: join(directory, "root"), run: join(directory, "run"), instance, debug: false };
    this.socket = join(directory, "run", "docker.sock");
    this.log = join(directory, "log");
    this.#more = more;
    this.environment = {
      ...process.env,
      DOCKER_HOST: `unix://${this.socket}`,
      DOCKER_CONFIG: join(directory, "docker"),
      DOCKER_BUILDKIT: "0",
      HOME: directory,
    };
  }

  static async start(environment: NodeJS.ProcessEnv = {}): Promise<DockerHost> {
    const host = new DockerHost(mkdtempSync(join(tmpdir(), "berth-docker-")), environment);
    await run(process.execPath, [join(project, "scripts/build.ts")], { cwd: project });
    await host.#launch();
    const { engine, images } = openEngine(host.#settings);
    await importBusybox(images);
    await engine[Symbol.asyncDispose]();
    return host;
  }

  async #launch(): Promise<void> {
    const { root, run: runDirectory, instance } = this.#settings;
    const log = openSync(this.log, "a");
    const args = [join(project, "dist/berthd.cjs"), "--root", root, "--run", runDirectory, "--instance", instance];
    this.#daemon = spawn(process.execPath, [...args, "--debug"], {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...this.#more },
    });
    await until(async () => {
      if (this.#daemon?.exitCode != null) throw new Error(`berthd ended: ${readFileSync(this.log, "utf8")}`);
      return existsSync(this.socket) && (await this.http("GET", "/_ping").catch(() => undefined));
    }, 20_000);
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon || daemon.exitCode !== null) return;
    const ended = once(daemon, "exit");
    daemon.kill("SIGTERM");
    await ended;
  }

  /** One request, with its whole answer. */
  http(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }> {
    const data = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    return new Promise((resolvePromise, reject) => {
      const sent = request({ socketPath: this.socket, method, path, headers, agent: false }, response => {
        const chunks: Buffer[] = [];
        response.on("data", chunk => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolvePromise({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      });
      sent.on("error", reject);
      sent.end(data);
    });
  }

  docker(...args: string[]): Promise<Outcome> {
    return this.program(dockerProgram, args);
  }

  /** Its output; fails where it does. */
  async dockerOk(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.docker(...args);
    if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${code}\n${stdout}\n${stderr}`);
    return stdout.trim();
  }

  /** Runs a client to its end; `input` goes to its stdin. */
  program(file: string, args: string[], options: { input?: string | Buffer; cwd?: string } = {}): Promise<Outcome> {
    return new Promise(resolvePromise => {
      const child = execFile(
        file,
        args,
        { env: this.environment, cwd: options.cwd ?? this.directory, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          resolvePromise({ code: error ? (typeof error.code === "number" ? error.code : -1) : 0, stdout, stderr }),
      );
      child.stdin?.end(options.input ?? "");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    const { engine } = openEngine(this.#settings);
    for (const { id } of await engine.containers.list({ all: true })) {
      try {
        await engine.containers.remove(id, { force: true, volumes: true });
      } catch (thrown) {
        if (!isCode(thrown, "not_found")) throw thrown;
      }
    }
    for (const network of await engine.networks.list()) if (!network.builtin) await engine.networks.remove(network.id);
    await engine.system.check({ repair: true });
    await engine[Symbol.asyncDispose]();
    for (const target of mountsBelow(this.directory)) await run("umount", ["-l", target]);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** Deepest first. What a host's engine keeps mounted until a reboot goes with the test's host. */
function mountsBelow(path: string): string[] {
  const targets = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map(line => line.split(" ")[4] ?? "");
  return targets.filter(target => target.startsWith(`${path}/`)).reverse();
}
