import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compare, execute, type Result } from "../lib/measure.ts";
import { projectRoot } from "../lib/peers.ts";

const MB = 1e6;

interface Server extends AsyncDisposable {
  name: string;
  domain: string;
  /** Most memory that it has had so far, bytes. */
  peak_bytes(): number;
  /** Starts again with nothing in it: pushes must find nothing there. */
  empty(): Promise<void>;
}

/** berth-registry against Debian's docker-registry, both on loopback and both asked by skopeo: an image of 300 MB, and one of 1,000 small blobs. */
export async function registryCases(): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), "berth-bench-registry-"));
  await using debian = await startServer("docker-registry", directory, 5056, debianRegistry);
  await using own = await startServer("berth-registry", directory, 5057, berthRegistry);
  const servers = [debian, own];
  const results: Result[] = [];
  try {
    const images = {
      "300 MB in 6 blobs": makeLayout(join(directory, "large"), 6, 50 * MB),
      "1,000 small blobs": makeLayout(join(directory, "small"), 1000, 2000),
    };
    for (const [title, source] of Object.entries(images)) {
      const rounds = 3;
      results.push(await comparePush(title, source, servers, rounds));
      results.push(await comparePull(title, servers, rounds, join(directory, "pulled")));
      results.push(await compareMemory(title, servers));
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return results;
}

const copy = (source: string, target: string) =>
  execute("skopeo", ["copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", source, target]);

function comparePush(title: string, source: string, servers: Server[], rounds: number): Promise<Result> {
  return compare({
    title: `Registry: push, ${title}`,
    rounds,
    bar: 1,
    contenders: servers.map(server => ({
      name: server.name,
      before: () => server.empty(),
      run: async () => void (await copy(source, `docker://${server.domain}/bench/image:1`)),
    })),
  });
}

function comparePull(title: string, servers: Server[], rounds: number, target: string): Promise<Result> {
  return compare({
    title: `Registry: pull, ${title}`,
    rounds,
    bar: 1,
    contenders: servers.map(server => ({
      name: server.name,
      before: async () => rmSync(target, { recursive: true, force: true }),
      run: async () => void (await copy(`docker://${server.domain}/bench/image:1`, `dir:${target}`)),
    })),
  });
}

function compareMemory(title: string, servers: Server[]): Promise<Result> {
  return compare({
    title: `Registry: peak memory in those, ${title}`,
    rounds: 1,
    bar: 1,
    unit: "MB",
    contenders: servers.map(server => ({ name: server.name, run: async () => server.peak_bytes() / MB })),
  });
}

/** An OCI layout with one image of so many layers of noise; what skopeo calls it. */
function makeLayout(path: string, count: number, size_bytes: number): string {
  mkdirSync(join(path, "blobs/sha256"), { recursive: true });
  const put = (mediaType: string, data: Buffer) => {
    const hex = createHash("sha256").update(data).digest("hex");
    writeFileSync(join(path, "blobs/sha256", hex), data);
    return { mediaType, digest: `sha256:${hex}`, size: data.length };
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const type = (name: string) => `application/vnd.oci.image.${name}`;
  const layers = Array.from({ length: count }, () => put(type("layer.v1.tar+gzip"), randomBytes(size_bytes)));
  const rootfs = { type: "layers", diff_ids: layers.map(layer => layer.digest) };
  const config = put(type("config.v1+json"), json({ architecture: "amd64", os: "linux", config: {}, rootfs }));
  const manifest = put(
    type("manifest.v1+json"),
    json({ schemaVersion: 2, mediaType: type("manifest.v1+json"), config, layers }),
  );
  const named = { ...manifest, annotations: { "org.opencontainers.image.ref.name": "1" } };
  writeFileSync(join(path, "index.json"), json({ schemaVersion: 2, manifests: [named] }));
  writeFileSync(join(path, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return `oci:${path}:1`;
}

type Command = (data: string, domain: string) => [program: string, ...args: string[]];

const berthRegistry: Command = (data, domain) => [
  join(projectRoot, "bin/berth-registry"),
  "serve",
  "--root",
  data,
  "--listen",
  domain,
];

const debianRegistry: Command = (data, domain) => {
  const config = `${data}.json`;
  const storage = { filesystem: { rootdirectory: data }, delete: { enabled: true } };
  const log = { level: "error", accesslog: { disabled: true } };
  writeFileSync(config, JSON.stringify({ version: 0.1, log, storage, http: { addr: domain } }));
  return ["docker-registry", "serve", config];
};

async function startServer(name: string, directory: string, port: number, command: Command): Promise<Server> {
  const data = join(directory, name);
  const domain = `127.0.0.1:${port}`;
  let running: ChildProcess | undefined;
  const start = async () => {
    const [program, ...args] = command(data, domain);
    running = spawn(program, args, { stdio: "ignore" });
    const answers = () =>
      fetch(`http://${domain}/v2/`).then(
        answer => answer.ok,
        () => false,
      );
    while (!(await answers())) {
      if (running.exitCode !== null) throw new Error(`${name} ended with ${running.exitCode}`);
      await sleep(20);
    }
  };
  const stop = async () => {
    const ended = new Promise(resolve => running?.once("exit", resolve));
    running?.kill("SIGTERM");
    await ended;
  };
  await start();
  return {
    name,
    domain,
    peak_bytes: () => Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${running!.pid}/status`, "utf8"))![1]) * 1024,
    async empty() {
      await stop();
      rmSync(data, { recursive: true, force: true });
      await start();
    },
    [Symbol.asyncDispose]: stop,
  };
}
