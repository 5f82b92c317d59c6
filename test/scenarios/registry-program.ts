import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { vi } from "vitest";

/** As built: the sources would need twice the memory. */
const program = join(import.meta.dirname, "../../dist/berth-registry.cjs");

/** A berth-registry of one's own on a free port; `kill` and `start` again keep its files and its port. */
export class RegistryProgram implements AsyncDisposable {
  readonly root: string;
  readonly domain: string;
  readonly #args: string[];
  #process: ChildProcess | undefined;

  private constructor(root: string, domain: string, args: string[]) {
    this.root = root;
    this.domain = domain;
    this.#args = args;
  }

  static async start(root: string, config?: object): Promise<RegistryProgram> {
    mkdirSync(root, { recursive: true });
    const path = join(root, "registry.json");
    if (config !== undefined) writeFileSync(path, JSON.stringify(config));
    const domain = `127.0.0.1:${await freePort()}`;
    const registry = new RegistryProgram(root, domain, config === undefined ? [] : ["--config", path]);
    await registry.start();
    return registry;
  }

  get base(): string {
    return `http://${this.domain}/v2`;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  async start(): Promise<void> {
    this.#process = spawn(
      process.execPath,
      [program, "serve", "--root", this.root, "--listen", this.domain, ...this.#args],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    await vi.waitFor(() => fetch(`${this.base}/`), { timeout: 20_000, interval: 20 });
  }

  /** As a power cut would: no chance to tidy up. */
  async kill(name: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined) return;
    running.kill(name);
    if (running.exitCode === null && running.signalCode === null) await once(running, "exit");
  }

  /** Runs another command of the program over the same files; what it says. */
  async command(...args: string[]): Promise<string> {
    const child = spawn(process.execPath, [program, ...args, "--root", this.root], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", chunk => (said += chunk));
    await once(child, "close");
    if (child.exitCode !== 0) throw new Error(`berth-registry ${args.join(" ")} ended with ${child.exitCode}`);
    return said;
  }

  /** Most memory that it has had so far. */
  peak_bytes(): number {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))![1]) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGTERM");
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
