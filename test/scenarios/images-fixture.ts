import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { OverlayLayers } from "../../src/drivers/overlay/overlay-layers.ts";
import { DiskContentStore } from "../../src/image/content/content-store.ts";
import { RegistryClients } from "../../src/image/distribution/registry-clients.ts";
import { LocalImageService } from "../../src/image/image-service.ts";

const execute = promisify(execFile);

/** Runs a program to its end; what it says on stdout. */
export async function run(program: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await execute(program, args, { env: { ...process.env, ...env }, maxBuffer: 1 << 24 });
  return stdout;
}

export interface ImageHost extends AsyncDisposable {
  images: LocalImageService;
  content: DiskContentStore;
  layers: OverlayLayers;
  root: string;
}

/** Everything of one test under one directory; closing ends the programs and removes it. */
export class ImagesFixture {
  readonly base = mkdtempSync("/tmp/berth-images-");
  readonly #programs: ChildProcess[] = [];
  readonly #hosts: ImageHost[] = [];
  #count = 0;

  /** An image store of its own, as another host would have it; or over `root`, as another process on a host has it. */
  host(root = join(this.base, `host${this.#count++}`)): ImageHost {
    mkdirSync(root, { recursive: true });
    const clock = systemClock;
    const locks = new FileLocks(clock);
    const content = new DiskContentStore({ root: join(root, "content"), locks, clock });
    const layers = new OverlayLayers({ root, content, locks, clock });
    const clients = new RegistryClients({ clock, random: Math.random });
    const platform = { os: "linux", architecture: "amd64" };
    const images = new LocalImageService({
      root: join(root, "images"),
      content,
      layers,
      locks,
      clock,
      clients,
      platform,
    });
    const dispose = async () => {
      await clients[Symbol.asyncDispose]();
      await layers[Symbol.asyncDispose]();
    };
    const host = { images, content, layers, root, [Symbol.asyncDispose]: dispose };
    this.#hosts.push(host);
    return host;
  }

  path(name: string): string {
    return join(this.base, name);
  }

  /** Debian's docker-registry; returns its host and port. */
  async registry(): Promise<string> {
    const domain = `127.0.0.1:${await freePort()}`;
    const config = this.path(`registry-${domain.slice(10)}.json`);
    const storage = {
      filesystem: { rootdirectory: this.path(`registry-${domain.slice(10)}`) },
      delete: { enabled: true },
    };
    writeFileSync(config, JSON.stringify({ version: 0.1, storage, http: { addr: domain }, log: { level: "error" } }));
    this.start("docker-registry", ["serve", config]);
    await vi.waitFor(() => fetch(`http://${domain}/v2/`), { timeout: 20_000 });
    return domain;
  }

  /** A docker daemon with no network; returns DOCKER_HOST. */
  async docker(): Promise<string> {
    const directory = this.path("docker");
    const socket = `unix://${directory}/d.sock`;
    mkdirSync(directory);
    const places = [
      "--data-root",
      `${directory}/data`,
      "--exec-root",
      `${directory}/exec`,
      "--pidfile",
      `${directory}/pid`,
    ];
    this.start("dockerd", [...places, "-H", socket, "--bridge=none", "--iptables=false"]);
    await vi.waitFor(() => run("docker", ["version"], { DOCKER_HOST: socket }), { timeout: 60_000, interval: 200 });
    return socket;
  }

  start(program: string, args: string[]): void {
    this.#programs.push(spawn(program, args, { stdio: "ignore" }));
  }

  async close(): Promise<void> {
    for (const program of this.#programs) {
      if (program.exitCode !== null) continue;
      program.kill("SIGTERM");
      await once(program, "exit");
    }
    for (const host of this.#hosts) await host[Symbol.asyncDispose]();
    rmSync(this.base, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
