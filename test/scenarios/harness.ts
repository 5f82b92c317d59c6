import { deepEqual } from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isCode } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/log.ts";
import { createEngine } from "../../src/main/create-engine.ts";
import type { HostSettings } from "../../src/main/settings.ts";
import type { ContainerSpec } from "../../src/model/container.ts";
import { importBusybox } from "./busybox-image.ts";

const enginePrograms = join(import.meta.dirname, "engine-process.ts");

/** An engine of real parts over the given directories. A further one over the same is what a second process would have. */
export function openEngine(settings: HostSettings) {
  const { root, run, instance } = settings;
  const command = (name: string) => [process.execPath, enginePrograms, root, run, instance, name];
  return createEngine(settings, process.env, silentLogger, {
    programs: { onExit: command("on-exit"), keep: command("keep") },
    settings: { initPath: ["/usr/bin/tini-static", "/usr/bin/tini"].find(existsSync) },
  });
}

export type Opened = ReturnType<typeof openEngine>;

export interface TestHost extends Opened, AsyncDisposable {
  settings: HostSettings;
  /** Makes a container of busybox; what is left out is as plain as possible (no network). */
  create(spec?: Partial<ContainerSpec>): Promise<string>;
  /** Makes and starts it. */
  start(spec?: Partial<ContainerSpec>): Promise<string>;
  /** Runs it to its end, and gives what it wrote (both streams) and its exit code. */
  run(spec?: Partial<ContainerSpec>): Promise<{ id: string; exitCode: number; output: string }>;
  /** Everything that the container has logged so far. */
  logs(id: string): Promise<string>;
  /** Runs a program in the container. */
  exec(id: string, ...args: string[]): Promise<{ exitCode: number; output: string }>;
}

let hosts = 0;

/**
 * A host of one's own in temporary directories: nothing of it is shared with other tests, and disposing it removes all containers, networks and volumes and
 * fails where anything is left over.
 */
export async function makeHost(): Promise<TestHost> {
  const base = mkdtempSync(join(tmpdir(), "berth-t-"));
  const instance = `t${process.pid.toString(36)}${(hosts++).toString(36)}`;
  const settings = { root: join(base, "root"), run: join(base, "run"), instance, debug: false };
  const opened = openEngine(settings);
  await importBusybox(opened.images);
  return {
    ...opened,
    ...verbs(opened),
    settings,
    [Symbol.asyncDispose]: () => disposeHost(opened, base),
  };
}

/** The plainest specification there is. */
export function plainSpec(spec: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    image: "busybox",
    env: [],
    labels: {},
    mounts: [],
    ports: [],
    namespaces: { network: "none" },
    resources: {},
    restart: { name: "no" },
    log: { driver: "", options: {} },
    stopTimeout_ms: 1000,
    ...spec,
  };
}

function verbs({ engine }: Opened): Pick<TestHost, "create" | "start" | "run" | "logs" | "exec"> {
  const { containers } = engine;
  const create = async (spec?: Partial<ContainerSpec>) => (await containers.create(plainSpec(spec))).id;
  const start = async (spec?: Partial<ContainerSpec>) => {
    const id = await create({ command: ["sleep", "1000"], ...spec });
    await containers.start(id);
    return id;
  };
  const logs = async (id: string) => {
    const parts: Buffer[] = [];
    for await (const { data } of containers.logs(id)) parts.push(data);
    return Buffer.concat(parts).toString();
  };
  return {
    create,
    start,
    logs,
    run: async spec => {
      const id = await create(spec);
      await containers.start(id);
      const { exitCode } = await containers.wait(id);
      return { id, exitCode, output: await logs(id) };
    },
    exec: async (id, ...args) => {
      const execId = await containers.createExec(id, { args });
      const session = await containers.startExec(execId);
      const output = await read(session!.output);
      return { exitCode: await containers.waitExec(execId), output };
    },
  };
}

async function disposeHost({ engine }: Opened, base: string): Promise<void> {
  for (const { id } of await engine.containers.list({ all: true })) {
    try {
      await engine.containers.remove(id, { force: true, volumes: true });
    } catch (thrown) {
      if (!isCode(thrown, "not_found")) throw thrown;
    }
  }
  const report = await engine.system.check();
  // A bridge stays up for the next container; with the host it has to go.
  const findings = report.findings.filter(
    sentence => !/^the bridge .* is up, and there is no container$/.test(sentence),
  );
  await engine.system.check({ repair: true });
  for (const network of await engine.networks.list()) {
    if (!network.builtin) await engine.networks.remove(network.id);
  }
  await engine[Symbol.asyncDispose]();
  // Exit commands and monitors that are just ending must not write into what is removed.
  await until(() => processesOf(base).length === 0, 20_000).catch(() => undefined);
  const left = mountsBelow(base);
  deepEqual({ findings, mounts: left, processes: processesOf(base) }, { findings: [], mounts: [], processes: [] });
  rmSync(base, { recursive: true, force: true });
}

/** Command lines of processes that name the directory. */
function processesOf(path: string): string[] {
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
      } catch {
        return "";
      }
    })
    .filter(line => line.includes(path));
}

function mountsBelow(path: string): string[] {
  const targets = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map(line => line.split(" ")[4] ?? "");
  return targets.filter(target => target.startsWith(`${path}/`));
}

/** All that an output gives until it ends. */
export async function read(output: AsyncIterable<{ data: Buffer }>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const { data } of output) parts.push(data);
  return Buffer.concat(parts).toString();
}

/** Waits until `test` gives something true, without a fixed sleep. Fails after a while. */
export async function until<T>(test: () => Promise<T> | T, limit_ms = 10_000): Promise<NonNullable<T>> {
  const end = performance.now() + limit_ms;
  for (;;) {
    const value = await test();
    if (value) return value;
    if (performance.now() > end) throw new Error(`it did not become true within ${limit_ms} ms: ${test}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
