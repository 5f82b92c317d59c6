import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import type { Lock, LockOptions, Locks } from "../../ports/locks.ts";
import { declare, SystemError } from "./libc.ts";

const flockCall = declare("int flock(int fd, int operation)");

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** flock(2) on files. Waiting polls (0.2 ms growing to 20 ms), since a blocking flock would stop the whole process. */
export class FileLocks implements Locks {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tryAcquire(path: string, { shared }: { shared?: boolean } = {}): Lock | undefined {
    // Node opens with O_CLOEXEC, so that no child keeps the lock unless it is handed the descriptor on purpose.
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    if (!lockNow(path, fd, shared ? LOCK_SH : LOCK_EX) || !isStillAt(path, fd)) {
      closeSync(fd);
      return undefined;
    }
    return openLock(fd);
  }

  async acquire(path: string, { shared, signal, timeout_ms }: LockOptions = {}): Promise<Lock> {
    const start_ms = this.#clock.now_ms();
    for (let delay_ms = 0.2; ; delay_ms = Math.min(20, delay_ms * 1.5)) {
      signal?.throwIfAborted();
      const lock = this.tryAcquire(path, { shared });
      if (lock !== undefined) return lock;
      if (timeout_ms !== undefined && this.#clock.now_ms() - start_ms >= timeout_ms) {
        throw new BerthError("timeout", `waited ${timeout_ms} ms for the lock ${path}, held by another process`);
      }
      await this.#clock.sleep(delay_ms, { signal });
    }
  }

  isHeld(path: string): boolean {
    let fd: number;
    try {
      fd = openSync(path, "r");
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw thrown;
    }
    try {
      return !lockNow(path, fd, LOCK_SH);
    } finally {
      closeSync(fd);
    }
  }
}

function lockNow(path: string, fd: number, operation: number): boolean {
  try {
    flockCall(path, fd, operation | LOCK_NB);
    return true;
  } catch (thrown) {
    if (thrown instanceof SystemError && (thrown.code === "EAGAIN" || thrown.code === "EWOULDBLOCK")) return false;
    throw thrown;
  }
}

/** Whoever removed the directory and made it again has another file there: a lock on the old one would exclude nobody. */
function isStillAt(path: string, fd: number): boolean {
  const held = fstatSync(fd);
  const there = statSync(path, { throwIfNoEntry: false });
  return there !== undefined && there.ino === held.ino && there.dev === held.dev;
}

function openLock(fd: number): Lock {
  let open = true;
  return {
    fd,
    async [Symbol.asyncDispose]() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
