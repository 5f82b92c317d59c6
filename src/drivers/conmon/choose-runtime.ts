import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { arch, release } from "node:os";
import { delimiter, join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { LinuxCgroups } from "../cgroup/linux-cgroups.ts";
import { hidingArguments } from "./hide-unified.ts";
import { probeBundle } from "./probe-bundle.ts";
import { runProgram } from "./run-program.ts";
import { type RuntimeName, type RuntimeProgram, runtimeArguments } from "./runtime-program.ts";

export interface RuntimeChoice {
  program: RuntimeProgram;
  /** Path and version of the monitor. */
  monitor: string;
  monitorVersion: string;
  /** Why this one, for `info`. */
  reason: string;
}

export interface ChoiceContext {
  searchPath: string;
  /** For the probe's bundle and the remembered choice. */
  directory: string;
  cgroups: LinuxCgroups;
  /** Only this one, where a host or a user insists. */
  only?: RuntimeName;
}

/** The quicker first. */
const preference: RuntimeName[] = ["crun", "runc"];

/** Remembered choices of another form than this are void. */
const format = 1;

/**
 * The quickest runtime that works on this host: each is tried by really running a container, since what is installed and what starts are different things
 * (crun refuses hybrid control groups, old ones refuse new kernels). The choice is remembered in a file until a program, the kernel or the control groups
 * change, so that one-off processes do not pay for it. Throws `unavailable` with each one's reason.
 */
export async function chooseRuntime(context: ChoiceContext, signal?: AbortSignal): Promise<RuntimeChoice> {
  const file = join(context.directory, `runtime-choice${context.only ? `-${context.only}` : ""}.json`);
  const key = situation(context);
  const remembered = recall(file, key);
  if (remembered !== undefined) return remembered;
  const choice = await probeAll(context, signal);
  mkdirSync(context.directory, { recursive: true });
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  writeFileSync(temporary, JSON.stringify({ key, choice }));
  renameSync(temporary, file);
  return choice;
}

export function findProgram(name: string, searchPath: string): string | undefined {
  const directories = [...searchPath.split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"];
  return directories
    .filter(Boolean)
    .map(directory => join(directory, name))
    .find(existsSync);
}

async function probeAll(context: ChoiceContext, signal?: AbortSignal): Promise<RuntimeChoice> {
  const monitor = findProgram("conmon", context.searchPath);
  if (monitor === undefined) {
    throw new BerthError("unavailable", "no conmon was found on this host", { hint: "apt-get install conmon" });
  }
  const failures: string[] = [];
  for (const program of await candidates(context)) {
    const words = await probe(program, context, signal);
    const label = `${program.name} ${program.version}`;
    if (words === undefined) {
      const special =
        program.prefix.length > 0
          ? `${label} works without the version 2 control groups beside version 1`
          : `${label} works`;
      return {
        program,
        monitor,
        monitorVersion: await versionOf(monitor, context),
        reason: [...failures, special].join("; "),
      };
    }
    failures.push(`${label} does not start a container here: ${words}`);
  }
  throw new BerthError(
    "unavailable",
    `no container runtime works on this host: ${failures.join("; ") || "none found"}`,
    {
      hint: "apt-get install runc",
    },
  );
}

async function candidates(context: ChoiceContext): Promise<RuntimeProgram[]> {
  const programs: RuntimeProgram[] = [];
  for (const name of context.only ? [context.only] : preference) {
    const path = findProgram(name, context.searchPath);
    if (path === undefined) continue;
    const plain = { name, path, version: await versionOf(path, context), command: path, prefix: [] };
    programs.push(plain);
    const { hierarchy } = context.cgroups;
    if (name !== "crun" || hierarchy.version !== 1 || hierarchy.unified === undefined) continue;
    const perl = findProgram("perl", context.searchPath);
    const hiding = hidingArguments(arch(), "/sys/fs/cgroup", hierarchy.unified);
    if (perl && hiding) programs.push({ ...plain, command: perl, prefix: [...hiding, path] });
  }
  return programs;
}

/** Undefined when it works, else the runtime's words. */
async function probe(
  program: RuntimeProgram,
  context: ChoiceContext,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const id = `probe-${randomBytes(6).toString("hex")}`;
  const bundle = join(context.directory, id);
  const cgroupPath = `/berth-${id}`;
  try {
    probeBundle(bundle, cgroupPath);
    const result = await runProgram(
      program.command,
      runtimeArguments(program, join(bundle, "state"), ["run", "--bundle", bundle, id]),
      { environment: { PATH: context.searchPath }, signal },
    );
    return result.code === 0 ? undefined : (result.stderr.trim().split("\n").pop() ?? `exit code ${result.code}`);
  } finally {
    rmSync(bundle, { recursive: true, force: true });
    await context.cgroups.remove(cgroupPath);
  }
}

async function versionOf(path: string, context: ChoiceContext): Promise<string> {
  const { stdout } = await runProgram(path, ["--version"], { environment: { PATH: context.searchPath } });
  return /version:?\s+(\S+)/.exec(stdout)?.[1] ?? "unknown";
}

/** Everything on which the choice rests. */
function situation(context: ChoiceContext): string {
  const programs = [...preference, "conmon", "perl"].map(name => {
    const path = findProgram(name, context.searchPath);
    const facts = path === undefined ? undefined : statSync(path);
    return facts === undefined ? "" : `${path} ${facts.size} ${facts.mtimeMs}`;
  });
  const { hierarchy } = context.cgroups;
  const trees = hierarchy.version === 2 ? [hierarchy.mount] : [...hierarchy.mounts.values(), hierarchy.unified ?? ""];
  return [format, release(), ...programs, ...trees].join("\n");
}

function recall(file: string, key: string): RuntimeChoice | undefined {
  try {
    const remembered = JSON.parse(readFileSync(file, "utf8")) as { key: string; choice: RuntimeChoice };
    return remembered.key === key ? remembered.choice : undefined;
  } catch {
    // Not there, or cut short by a full disk: probing again costs a tenth of a second.
    return undefined;
  }
}
