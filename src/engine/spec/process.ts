import { BerthError } from "../../base/errors.ts";
import type { Ulimit } from "../../model/container.ts";
import type { HostFacts } from "../../ports/host.ts";
import { noLimit, type OciRlimit } from "./oci.ts";

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** PATH, HOSTNAME and TERM where they were not given, as Docker has them, and HOME from the container's passwd file. */
export function completeEnvironment(
  env: string[],
  defaults: { hostname?: string; tty: boolean; home: string },
): string[] {
  const given = new Set(env.map(entry => entry.split("=", 1)[0]));
  const before: string[] = [];
  if (!given.has("PATH")) before.push(`PATH=${defaultPath}`);
  if (!given.has("HOSTNAME") && defaults.hostname !== undefined) before.push(`HOSTNAME=${defaults.hostname}`);
  if (!given.has("TERM") && defaults.tty) before.push("TERM=xterm");
  const after = given.has("HOME") ? [] : [`HOME=${defaults.home}`];
  return [...before, ...env, ...after];
}

const limitNames = new Set(
  "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" "),
);

/** Most programs cannot use more, and some walk through all of them when they start. */
const mostFiles = 1_048_576;

/**
 * setrlimit(2). No process without CAP_SYS_RESOURCE can go above its own hard limits, so what is above is lowered to them, with a warning. Open files are set
 * to what the host allows where nothing is asked, since a shell's soft limit of 1024 is not meant for servers.
 */
export function resourceLimits(wanted: Ulimit[], host: HostFacts): { rlimits: OciRlimit[]; warnings: string[] } {
  const warnings: string[] = [];
  const ceilingOf = (name: string) =>
    host.capabilities.includes("CAP_SYS_RESOURCE") ? Infinity : (host.hardLimits[name] ?? Infinity);
  const rlimits = wanted.map(({ name, soft, hard }) => {
    if (!limitNames.has(name)) throw new BerthError("invalid", `ulimits: there is no limit named '${name}'`);
    const [softLimit, hardLimit] = [unlimited(soft), unlimited(hard)];
    if (softLimit > hardLimit) {
      throw new BerthError("invalid", `ulimits: ${name} has a soft limit of ${soft}, above its hard limit of ${hard}`);
    }
    const ceiling = ceilingOf(name);
    if (hardLimit > ceiling) {
      warnings.push(`ulimit ${name}: lowered from ${hard} to ${ceiling}, the most that this host allows`);
    }
    return limit(name, Math.min(softLimit, ceiling), Math.min(hardLimit, ceiling));
  });
  if (!wanted.some(({ name }) => name === "nofile")) {
    const most = Math.min(mostFiles, host.hardLimits["nofile"] ?? mostFiles);
    rlimits.push(limit("nofile", most, most));
  }
  return { rlimits, warnings };
}

function limit(name: string, soft: number, hard: number): OciRlimit {
  return { type: `RLIMIT_${name.toUpperCase()}`, soft: exact(soft), hard: exact(hard) };
}

const exact = (value: number) => (value === Infinity ? noLimit : value);

const unlimited = (value: number) => (value < 0 ? Infinity : value);

/** Lowering the score below one's own needs CAP_SYS_RESOURCE; without it the container gets the nearest possible. */
export function oomScore(wanted: number | undefined, host: HostFacts): { score?: number; warnings: string[] } {
  if (wanted === undefined || wanted === 0) return { warnings: [] };
  if (!Number.isInteger(wanted) || wanted < -1000 || wanted > 1000) {
    throw new BerthError("invalid", `oomScoreAdj: ${wanted} is not between -1000 and 1000`);
  }
  if (wanted >= host.oomScoreAdj || host.capabilities.includes("CAP_SYS_RESOURCE")) {
    return { score: wanted, warnings: [] };
  }
  return {
    score: host.oomScoreAdj,
    warnings: [`oom score adjustment: ${host.oomScoreAdj} instead of ${wanted}, the least that this host allows`],
  };
}
