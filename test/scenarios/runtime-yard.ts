import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { LinuxCgroups } from "../../src/drivers/cgroup/linux-cgroups.ts";
import { ConmonRuntime } from "../../src/drivers/conmon/conmon-runtime.ts";
import { LinuxHost } from "../../src/drivers/host/linux-host.ts";
import { buildRuntimeSpec } from "../../src/engine/spec/build-runtime-spec.ts";
import type { RuntimeSpecInput } from "../../src/engine/spec/input.ts";
import type { CreateInput, ExecInput, ExitRecord, RuntimeStreams } from "../../src/ports/runtime.ts";

const root = mkdtempSync(join(tmpdir(), "berth-runtime-test-"));
export const rootfs = join(root, "rootfs");
const group = `berth-runtime-test-${randomBytes(4).toString("hex")}`;
export const host = new LinuxHost();
export const cgroups = new LinuxCgroups(systemClock);
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Makes the root file system for the containers of a test file, and takes all away again. */
export function prepareRuntimeTests(): void {
  beforeAll(() => {
    for (const path of ["bin", "etc", "proc", "sys", "dev", "tmp"]) mkdirSync(join(rootfs, path), { recursive: true });
    copyFileSync("/bin/busybox", join(rootfs, "bin/busybox"));
    for (const name of "sh true false cat echo sleep dd stty tty env id kill seq wc yes head tail test trap ulimit tr printf printenv pwd hostname touch df ls grep".split(
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
}

type Overrides = Partial<Omit<CreateInput, "bundle">> & {
  signal?: AbortSignal;
  spec?: Partial<RuntimeSpecInput["spec"]>;
  input?: Partial<RuntimeSpecInput>;
};

/** Containers of one test, which are gone at its end. */
export class Yard implements AsyncDisposable {
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
    const { spec, input, signal, id = newId(), ...create } = overrides;
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
      cgroupPath: this.cgroupPath(id),
      deviceNodes: new Map(),
      host: host.facts(),
      ...input,
    });
    writeFileSync(join(bundle, "config.json"), JSON.stringify(built.spec));
    this.#ids.push(id);
    const plain = { tty: false, openStdin: false, stdinOnce: false, logPath, exitCommand: [] };
    const made = await this.runtime.create({ id, bundle, ...plain, ...create }, { signal });
    return { id, bundle, logPath, cgroupPath: this.cgroupPath(id), ...made };
  }

  cgroupPath(id: string): string {
    return `/${group}/${id}`;
  }

  async started(args: string[], overrides: Overrides = {}) {
    const container = await this.create(args, overrides);
    await this.runtime.start(container.id);
    return container;
  }

  async ended(container: { id: string; bundle: string }): Promise<ExitRecord> {
    return until(() => this.runtime.exitOf(container));
  }

  output(container: { logPath: string }): string {
    return logged(container.logPath, "stdout") + logged(container.logPath, "stderr");
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

export async function until<T>(
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

export async function text(streams: RuntimeStreams): Promise<string> {
  let all = "";
  for await (const { data } of streams.output) all += data.toString("latin1");
  return all;
}

/** Reads until the words come. */
export async function expectOutput(output: AsyncIterator<{ data: Buffer }>, words: string | RegExp): Promise<string> {
  let all = "";
  while (!(typeof words === "string" ? all.includes(words) : words.test(all))) {
    const next = await output.next();
    if (next.done) throw new Error(`the output ended with '${all}', without ${words}`);
    all += next.value.data.toString("latin1");
  }
  return all;
}

/** The bytes that a monitor's log stands for, one stream at a time. */
export function logged(path: string, stream: "stdout" | "stderr"): string {
  return readFileSync(path, "latin1")
    .split("\n")
    .flatMap(line => {
      const [, name, kind, data] = /^\S+ (stdout|stderr) ([FP]) (.*)$/s.exec(line) ?? [];
      return name === stream ? [data + (kind === "F" ? "\n" : "")] : [];
    })
    .join("");
}

export function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
