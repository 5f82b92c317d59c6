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

/** Ends the monitor and the runtime that are at work on a container: those whose command line names both it and our state directory. */
export function endMakers(id: string, runtimeRoot: string): void {
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!(pid > 0) || pid === process.pid) continue;
    const words = commandLine(pid);
    if (words.includes(id) && words.includes(runtimeRoot)) signalProcess(pid, "SIGKILL");
  }
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
  } catch {
    // Gone meanwhile.
    return [];
  }
}
