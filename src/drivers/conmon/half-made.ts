import { readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { signalProcess } from "./signal-process.ts";

/**
 * Which container is made from which bundle, noted before anything is started: a link for each in a directory. What is left of a container whose making was
 * killed half-way, before the runtime wrote its own record, is found through it.
 */
export class BundleLinks {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  note(id: string, bundle: string): void {
    rmSync(this.#path(id), { force: true });
    symlinkSync(bundle, this.#path(id));
  }

  find(id: string): string | undefined {
    try {
      return readlinkSync(this.#path(id));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw thrown;
    }
  }

  forget(id: string): void {
    rmSync(this.#path(id), { force: true });
  }

  list(): string[] {
    return readdirSync(this.#directory);
  }

  #path(id: string): string {
    return join(this.#directory, id);
  }
}

/** The control group that the bundle's container was to get; undefined where the bundle is gone. */
export function cgroupPathOfBundle(bundle: string): string | undefined {
  try {
    const config = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8")) as {
      linux?: { cgroupsPath?: string };
    };
    return config.linux?.cgroupsPath;
  } catch (thrown) {
    // Half-written or gone: then nothing was started from it.
    if (thrown instanceof SyntaxError || (thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

/** More rounds than this only a fork bomb would need. */
const mostRounds = 1000;

/**
 * Ends the monitor and the runtime that are at work on a container. They are started in the bundle's directory, which they keep through fork and exec (unlike the command
 * line, which is empty for a moment during exec). Again and again until there is none, since one may start another between being seen and being killed.
 */
export function endMakers(bundle: string): void {
  for (let round = 0; round < mostRounds && killMakers(bundle); round++);
}

/** True if there was any. One that is dead has no directory any more. */
function killMakers(bundle: string): boolean {
  let found = false;
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!(pid > 0) || pid === process.pid || currentDirectory(pid) !== bundle) continue;
    found = signalProcess(pid, "SIGKILL") || found;
  }
  return found;
}

function currentDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // Gone meanwhile.
    return undefined;
  }
}
