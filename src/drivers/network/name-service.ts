import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import type { Locks } from "../../ports/locks.ts";

export interface NameServiceOptions {
  stateDirectory: string;
  /** Program and arguments that run berth-dns; `--state <directory>` is added. */
  command: readonly string[];
  clock: Clock;
  locks: Locks;
}

/** Files that berth-dns and its users meet at. */
export function namePaths(stateDirectory: string) {
  const directory = join(stateDirectory, "dns");
  return { directory, socket: join(directory, "control"), lock: join(directory, "lock"), log: join(directory, "log") };
}

/** The program takes some 0.1 s to start on an idle machine. */
const startTimeout_ms = 10_000;
const answerTimeout_ms = 5_000;

/**
 * The engine's end of the resolver program. It runs detached from everybody: whoever needs it starts it if it is not there, and it ends by itself when no
 * container needs it. What it serves it reads from the endpoint records, so that killing it loses nothing.
 */
export class NameService {
  readonly #options: NameServiceOptions;
  readonly #paths: ReturnType<typeof namePaths>;

  constructor(options: NameServiceOptions) {
    this.#options = options;
    this.#paths = namePaths(options.stateDirectory);
  }

  /** Starts the program if it is not running, without waiting for it. The lock is its own from before it is born: of many who need it one starts it. */
  warm(): void {
    mkdirSync(this.#paths.directory, { recursive: true, mode: 0o700 });
    const lock = this.#options.locks.tryAcquire(this.#paths.lock);
    if (lock === undefined) return;
    try {
      this.#start(lock.fd);
    } finally {
      closeSync(lock.fd);
    }
  }

  /** When this returns, the container's resolver answers, with its names as they are recorded now. Starts the program if need be. */
  async serve(containerId: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const { clock } = this.#options;
    const end_ms = clock.now_ms() + startTimeout_ms;
    for (let delay_ms = 2; ; delay_ms = Math.min(20, delay_ms * 1.5)) {
      const answer = await this.#tell(containerId);
      if (answer === "ok") return;
      if (answer !== undefined)
        throw new BerthError("internal", `could not serve names to container ${containerId.slice(0, 12)}: ${answer}`);
      if (clock.now_ms() > end_ms) {
        throw new BerthError(
          "unavailable",
          `could not serve names to container ${containerId.slice(0, 12)}: berth-dns does not start`,
          {
            hint: `see ${this.#paths.log}`,
          },
        );
      }
      // One that is just ending still holds the lock: then another follows it.
      this.warm();
      await clock.sleep(delay_ms, { signal });
    }
  }

  /** Tells the program that the container's records changed or went. One that was killed is started again when `others` need it. */
  async forget(containerId: string, others: boolean): Promise<void> {
    const answer = await this.#tell(containerId);
    if (answer === undefined && others) this.warm();
  }

  #start(lockFd: number): void {
    const [program, ...args] = this.#options.command;
    const log = openSync(this.#paths.log, "w", 0o600);
    try {
      const child = spawn(program!, [...args, "--state", this.#options.stateDirectory], {
        detached: true,
        cwd: "/",
        stdio: ["ignore", "ignore", log, lockFd],
      });
      // A program that cannot be started shows as one that does not answer.
      child.on("error", () => {});
      child.unref();
    } finally {
      closeSync(log);
    }
  }

  /** The program's answer, or undefined where none is there. */
  #tell(containerId: string): Promise<string | undefined> {
    return new Promise(resolve => {
      const socket = connect(this.#paths.socket);
      let text = "";
      socket.setEncoding("utf8").setTimeout(answerTimeout_ms, () => socket.destroy());
      socket.on("error", () => resolve(undefined));
      socket.on("close", () => resolve(undefined));
      socket.on("connect", () => socket.write(`${containerId}\n`));
      socket.on("data", (chunk: string) => {
        text += chunk;
        if (!text.includes("\n")) return;
        resolve(text.split("\n")[0]);
        socket.destroy();
      });
    });
  }
}
