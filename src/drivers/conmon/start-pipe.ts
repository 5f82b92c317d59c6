import { constants } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import type { RuntimeName } from "./runtime-program.ts";
import { isAlive, type RuntimeState, startPipe } from "./runtime-state.ts";

const poll_ms = 0.5;
/** It has been made, so it is about to wait: only a machine on its knees needs more than a few milliseconds. */
const patience_ms = 10_000;

export interface WaitingContainer {
  name: RuntimeName;
  /** The runtime's directory for the container. */
  directory: string;
  state: RuntimeState;
}

/**
 * Lets a made container run, exactly as the runtime's `start` does: its init waits on a pipe, with runc to be read from (it writes a byte), with crun to be
 * written to. To start a process for that would cost more than all else that `start` does.
 */
export async function openStartPipe(container: WaitingContainer, clock: Clock, signal?: AbortSignal): Promise<void> {
  const path = join(container.directory, startPipe);
  await using attempt = container.name === "runc" ? await readingAttempt(path) : writingAttempt(path);
  const start_ms = clock.now_ms();
  while (!(await attempt.pass())) {
    if (!isAlive(container.state)) {
      throw new BerthError("conflict", "the container ended before it was started", { hint: "create it again" });
    }
    if (clock.now_ms() - start_ms > patience_ms) {
      throw new BerthError("timeout", `the container did not take its start signal within ${patience_ms / 1000} s`);
    }
    await clock.sleep(poll_ms, { signal });
  }
}

/** Not blocking, since an init that died would never answer. */
interface Attempt extends AsyncDisposable {
  /** True once it has gone through. */
  pass(): Promise<boolean>;
}

/** The pipe stays open from try to try: the init that finds its reader gone dies of it. */
async function readingAttempt(path: string): Promise<Attempt> {
  const pipe = await openPipe(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return {
    async pass() {
      try {
        const { bytesRead } = await pipe.read(Buffer.alloc(1), 0, 1);
        if (bytesRead === 0) return false;
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === "EAGAIN") return false;
        throw thrown;
      }
      await unlink(path);
      return true;
    },
    [Symbol.asyncDispose]: () => pipe.close(),
  };
}

function writingAttempt(path: string): Attempt {
  return {
    async pass() {
      let pipe: FileHandle;
      try {
        pipe = await openPipe(path, constants.O_WRONLY | constants.O_NONBLOCK);
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === "ENXIO") return false;
        throw thrown;
      }
      await using _closed = pipe;
      // First, so that whoever sees no pipe knows that it has been started.
      await unlink(path);
      await pipe.write(Buffer.alloc(1));
      return true;
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function openPipe(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
    throw new BerthError("conflict", "the container has been started already", { cause: thrown });
  }
}
