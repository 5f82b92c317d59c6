import { readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import type { CgroupStats, Cgroups } from "../../ports/cgroups.ts";
import type { CallOptions } from "../../ports/content.ts";
import { type CgroupHierarchy, findHierarchy, groupDirectories, groupExists } from "./hierarchy.ts";
import { readStats } from "./read-stats.ts";

/** How long a group may take to become empty, or frozen: processes in the kernel (on slow disks) finish what they do there. */
const patience_ms = 10_000;
const firstDelay_ms = 0.5;
const longestDelay_ms = 20;

/** The kernel's control groups, through their file systems. */
export class LinuxCgroups implements Cgroups {
  readonly hierarchy: CgroupHierarchy;
  readonly #clock: Clock;

  constructor(clock: Clock, hierarchy: CgroupHierarchy = findHierarchy()) {
    this.hierarchy = hierarchy;
    this.#clock = clock;
  }

  stats(path: string): Promise<CgroupStats> {
    return readStats(this.hierarchy, path);
  }

  async processes(path: string): Promise<number[]> {
    const pids = new Set<number>();
    for (const directory of groupDirectories(this.hierarchy, path)) {
      for (const group of await groupsBelow(directory)) {
        for (const pid of await readPids(group)) pids.add(pid);
      }
      // Every process is in every tree: one that has any is enough.
      if (pids.size > 0) break;
    }
    return [...pids].sort((left, right) => left - right);
  }

  exists(path: string): boolean {
    return groupExists(this.hierarchy, path);
  }

  async children(path: string): Promise<string[]> {
    const names = new Set<string>();
    for (const directory of groupDirectories(this.hierarchy, path)) {
      for (const name of await subdirectories(directory)) names.add(name);
    }
    return [...names].sort();
  }

  /** Removes the group if nothing is in it nor below, as after most containers' ends: some tens of microseconds. False where more is to be done. */
  removeIfEmpty(path: string): boolean {
    let empty = true;
    for (const directory of groupDirectories(this.hierarchy, path)) {
      try {
        rmdirSync(directory);
      } catch (thrown) {
        if (!isGone(thrown)) empty = false;
      }
    }
    return empty;
  }

  async remove(path: string, { signal }: CallOptions = {}): Promise<void> {
    for (const directory of groupDirectories(this.hierarchy, path)) {
      await this.#until(signal, `removing control group ${path}`, () => removeTree(directory));
    }
  }

  async killAll(path: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#until(signal, `killing what is in control group ${path}`, async () => {
      const pids = await this.processes(path);
      for (const pid of pids) killProcess(pid);
      // Frozen processes of version 1 die only once they are thawed.
      if (pids.length > 0 && this.isFrozen(path)) this.#requestFreeze(path, false);
      return pids.length === 0;
    });
  }

  /** Stops (or lets go on) all processes of the group at once; returns when it is so. */
  async freeze(path: string, frozen: boolean, { signal }: CallOptions = {}): Promise<void> {
    this.#requestFreeze(path, frozen);
    await this.#until(signal, `${frozen ? "freezing" : "thawing"} control group ${path}`, async () => {
      if (this.isFrozen(path) === frozen) return true;
      // A process that was just being forked can make version 1 stay "FREEZING": asking again is the kernel's own advice.
      this.#requestFreeze(path, frozen);
      return false;
    });
  }

  isFrozen(path: string): boolean {
    try {
      const text = readFileSync(
        join(this.#freezer(path), this.#isVersion2 ? "cgroup.events" : "freezer.state"),
        "utf8",
      );
      return this.#isVersion2 ? /^frozen 1$/m.test(text) : text.trim() === "FROZEN";
    } catch (thrown) {
      if (isGone(thrown)) return false;
      throw thrown;
    }
  }

  #requestFreeze(path: string, frozen: boolean): void {
    const directory = this.#freezer(path);
    try {
      if (this.#isVersion2) writeFileSync(join(directory, "cgroup.freeze"), frozen ? "1" : "0");
      else writeFileSync(join(directory, "freezer.state"), frozen ? "FROZEN" : "THAWED");
    } catch (thrown) {
      if (!isGone(thrown)) throw thrown;
      if (frozen) throw new BerthError("not_found", `freezing control group ${path}: it does not exist`);
    }
  }

  get #isVersion2(): boolean {
    return this.hierarchy.version === 2;
  }

  #freezer(path: string): string {
    if (this.hierarchy.version === 2) return join(this.hierarchy.mount, path);
    const mount = this.hierarchy.mounts.get("freezer");
    if (mount === undefined) throw new BerthError("unsupported", "this host has no freezer for control groups");
    return join(mount, path);
  }

  async #until(signal: AbortSignal | undefined, what: string, done: () => Promise<boolean>): Promise<void> {
    const start_ms = this.#clock.now_ms();
    for (let delay_ms = firstDelay_ms; !(await done()); delay_ms = Math.min(longestDelay_ms, delay_ms * 2)) {
      if (this.#clock.now_ms() - start_ms > patience_ms) {
        throw new BerthError("in_use", `${what}: it still has processes after ${patience_ms / 1000} s`);
      }
      await this.#clock.sleep(delay_ms, { signal });
    }
  }
}

/** The group and all below it, deepest first. */
async function groupsBelow(directory: string): Promise<string[]> {
  const groups: string[] = [];
  for (const name of await subdirectories(directory)) groups.push(...(await groupsBelow(join(directory, name))));
  groups.push(directory);
  return groups;
}

async function subdirectories(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter(entry => entry.isDirectory()).map(entry => entry.name);
  } catch (thrown) {
    if (isGone(thrown)) return [];
    throw thrown;
  }
}

async function readPids(directory: string): Promise<number[]> {
  try {
    const text = await readFile(join(directory, "cgroup.procs"), "utf8");
    return text.split("\n").filter(Boolean).map(Number);
  } catch (thrown) {
    // Threaded groups of version 2 list their processes higher up.
    if (isGone(thrown) || (thrown as NodeJS.ErrnoException).code === "EOPNOTSUPP") return [];
    throw thrown;
  }
}

/** False while something is still in it. */
async function removeTree(directory: string): Promise<boolean> {
  try {
    // Mostly there is nothing below: one call does.
    await rmdir(directory);
    return true;
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (isGone(thrown)) return true;
    if (code !== "EBUSY" && code !== "ENOTEMPTY") throw thrown;
  }
  for (const name of await subdirectories(directory)) await removeTree(join(directory, name));
  return rmdir(directory).then(
    () => true,
    thrown => isGone(thrown),
  );
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown;
  }
}

/** ENODEV is what reading from a group says that is being removed. */
function isGone(thrown: unknown): boolean {
  return ["ENOENT", "ENODEV"].includes((thrown as NodeJS.ErrnoException).code ?? "");
}
