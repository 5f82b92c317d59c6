import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import { shortId } from "../../base/ids.ts";
import { buildRuntimeSpec } from "../../engine/spec/build-runtime-spec.ts";
import { cgroupPathOf } from "../../engine/spec/input.ts";
import type { StepInput, StepRunner } from "../../ports/build.ts";
import type { Host } from "../../ports/host.ts";
import type { NetworkService } from "../../ports/network.ts";
import { LinuxCgroups } from "../cgroup/linux-cgroups.ts";
import { chooseRuntime } from "../conmon/choose-runtime.ts";
import { lastLoggedError, runtimeError } from "../conmon/runtime-errors.ts";
import { type RuntimeProgram, runtimeArguments, runVerb } from "../conmon/runtime-program.ts";
import { forwardAgent } from "./agent-forwarder.ts";
import { type StepNetwork, StepNetworks } from "./step-networks.ts";
import { stepSpecInput } from "./step-spec.ts";

export interface RuntimeStepRunnerOptions {
  /** On a memory file system, of this engine alone. */
  runDirectory: string;
  /** Where the choice of a runtime is remembered; default: the run directory. */
  cacheDirectory?: string;
  /** PATH in which the runtimes are looked for. */
  searchPath: string;
  clock: Clock;
  host: Host;
  /** For RUN steps with the default network; absent: they get none but loopback. */
  networks?: NetworkService;
  /** Control group below which steps run, e.g. "berth". */
  cgroupRoot: string;
  /** Texts of /etc/hosts and /etc/resolv.conf for a step, as the engine writes them for containers. */
  networkFiles(input: { extraHosts: string[]; gateway?: string; resolver?: string; onHost: boolean }): {
    hosts: string;
    resolvConf: string;
  };
}

/** RUN steps straight through the OCI runtime: one process started for each, its pipes are the step's output. */
export class RuntimeStepRunner implements StepRunner {
  readonly mountPoints = ["/proc", "/dev", "/sys", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts"] as const;
  readonly #options: RuntimeStepRunnerOptions;
  readonly #cgroups: LinuxCgroups;
  readonly #networks: StepNetworks | undefined;
  readonly #environment: Record<string, string>;
  readonly #stateRoot: string;
  #program: Promise<RuntimeProgram> | undefined;

  constructor(options: RuntimeStepRunnerOptions) {
    this.#options = options;
    this.#cgroups = new LinuxCgroups(options.clock);
    this.#networks = options.networks && new StepNetworks(options.networks);
    this.#environment = { PATH: options.searchPath };
    this.#stateRoot = join(options.runDirectory, "runtime");
    mkdirSync(this.#stateRoot, { recursive: true, mode: 0o700 });
  }

  async run(input: StepInput): Promise<{ exitCode: number; oomKilled: boolean }> {
    const { signal } = input;
    signal?.throwIfAborted();
    const bundle = join(this.#options.runDirectory, "bundles", input.id);
    mkdirSync(bundle, { recursive: true, mode: 0o700 });
    const network = input.network === "default" ? await this.#networks?.take(input.id, { signal }) : undefined;
    try {
      this.#writeBundle(input, bundle, network);
      const exitCode = await this.#runProgram(input, bundle);
      return { exitCode, oomKilled: exitCode === 137 && (input.resources?.memory_bytes ?? 0) > 0 };
    } finally {
      if (network) this.#networks?.give(network);
      rmSync(bundle, { recursive: true, force: true });
    }
  }

  #writeBundle(input: StepInput, bundle: string, network: StepNetwork | undefined) {
    const { host, cgroupRoot, networkFiles } = this.#options;
    const hostname = input.network === "host" ? host.facts().hostname : shortId(input.id.replace(/^build-/, ""));
    const texts = networkFiles({
      extraHosts: input.extraHosts,
      gateway: network?.endpoint.gateway,
      resolver: network && this.#networks?.resolver(network),
      onHost: input.network === "host",
    });
    const files = {
      hosts: join(bundle, "hosts"),
      hostname: join(bundle, "hostname"),
      resolvConf: join(bundle, "resolv.conf"),
    };
    writeFileSync(files.hosts, texts.hosts);
    writeFileSync(files.hostname, `${hostname}\n`);
    writeFileSync(files.resolvConf, texts.resolvConf);
    const cgroupPath = cgroupPathOf({ id: input.id, root: cgroupRoot, parent: input.cgroupParent });
    const { spec } = buildRuntimeSpec(
      stepSpecInput(input, { hostname, files, netnsPath: network?.netnsPath, cgroupPath, host: host.facts() }),
    );
    writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
  }

  async #runProgram(input: StepInput, bundle: string): Promise<number> {
    const { signal } = input;
    const program = await this.#chosen();
    const log = join(bundle, "log.json");
    const child = spawn(
      program.command,
      runtimeArguments(program, this.#stateRoot, ["run", "--bundle", bundle, input.id], log),
      {
        env: this.#environment,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    child.stdout.on("data", (data: Buffer) => input.onOutput("stdout", data));
    child.stderr.on("data", (data: Buffer) => input.onOutput("stderr", data));
    const stop = () => void this.#stop(program, input.id, child.pid);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    try {
      const [code] = (await once(child, "close")) as [number | null];
      if (signal?.aborted || code === null) {
        await this.#clean(program, input.id);
        signal?.throwIfAborted();
        throw new BerthError("unavailable", `${program.name} was killed while it ran the step`);
      }
      const words = code === 0 || !existsSync(log) ? "" : lastLoggedError(readFileSync(log, "utf8"));
      if (words === "") return code;
      await this.#clean(program, input.id);
      throw runtimeError("starting the step", words, input.args[0]);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** The container first: with its init gone everything in it is. A runtime that has not made it yet is stopped itself. */
  async #stop(program: RuntimeProgram, id: string, pid: number | undefined) {
    const killed = await runVerb(program, this.#stateRoot, ["kill", id, "KILL"], { environment: this.#environment });
    if (killed.ok || pid === undefined) return;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended in this moment by itself.
    }
  }

  async #clean(program: RuntimeProgram, id: string) {
    if (existsSync(join(this.#stateRoot, id))) {
      await runVerb(program, this.#stateRoot, ["delete", "--force", id], { environment: this.#environment });
    }
    const cgroupPath = cgroupPathOf({ id, root: this.#options.cgroupRoot });
    if (!this.#cgroups.exists(cgroupPath)) return;
    await this.#cgroups.killAll(cgroupPath);
    await this.#cgroups.remove(cgroupPath);
  }

  async sweep(isLeftover: (id: string) => boolean): Promise<void> {
    const left = readdirSync(this.#stateRoot).filter(isLeftover);
    for (const id of left) await this.#clean(await this.#chosen(), id);
    const bundles = join(this.#options.runDirectory, "bundles");
    mkdirSync(bundles, { recursive: true, mode: 0o700 });
    for (const id of readdirSync(bundles))
      if (isLeftover(id)) rmSync(join(bundles, id), { recursive: true, force: true });
    await this.#networks?.sweep(isLeftover);
  }

  async releaseIdle(): Promise<void> {
    await this.#networks?.releaseIdle();
  }

  forwardAgent = forwardAgent;

  async #chosen(): Promise<RuntimeProgram> {
    this.#program ??= chooseRuntime({
      searchPath: this.#options.searchPath,
      directory: this.#options.cacheDirectory ?? this.#options.runDirectory,
      cgroups: this.#cgroups,
    }).then(choice => choice.program);
    return this.#program;
  }
}
