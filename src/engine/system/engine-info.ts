import type { CallOptions } from "../../ports/content.ts";
import type { EngineInfo } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { listContainers } from "../inspect/list-containers.ts";

export async function engineInfo(context: EngineContext, options: CallOptions): Promise<EngineInfo> {
  const facts = context.host.facts();
  const [runtime, containers, images] = await Promise.all([
    context.runtime.info(),
    listContainers(context, { ...options, all: true }),
    context.images.list(options),
  ]);
  const count = (...wanted: string[]) => containers.filter(({ state }) => wanted.includes(state.status)).length;
  const running = count("running", "restarting");
  const paused = count("paused");
  return {
    root: context.root,
    run: context.run,
    version: context.version,
    runtime,
    storageDriver: "overlay",
    cgroupVersion: facts.cgroupVersion,
    cgroupDriver: "cgroupfs",
    kernel: facts.kernel,
    operatingSystem: facts.operatingSystem,
    osType: "linux",
    architecture: facts.architecture,
    cpus: facts.cpus,
    memory_bytes: facts.memory_bytes,
    hostname: facts.hostname,
    containers: { total: containers.length, running, paused, stopped: containers.length - running - paused },
    images: images.length,
    seccomp: facts.seccomp,
    warnings: limitWarnings(facts.limits),
  };
}

/** What users will ask for and this kernel cannot do. */
function limitWarnings(limits: ReturnType<EngineContext["host"]["facts"]>["limits"]): string[] {
  const lacking: [boolean, string][] = [
    [limits.memory, "no memory limit support"],
    [limits.swap, "no swap limit support"],
    [limits.cpuQuota, "no cpu quota support"],
    [limits.cpuset, "no cpuset support"],
    [limits.pids, "no pids limit support"],
    [limits.blkioThrottle, "no block I/O limit support"],
  ];
  return lacking.filter(([there]) => !there).map(([, what]) => `WARNING: ${what}`);
}
