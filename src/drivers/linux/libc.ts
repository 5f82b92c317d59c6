import { constants } from "node:os";
import koffi from "koffi";
import { BerthError } from "../../base/errors.ts";

/**
 * Direct calls of the C library. A process started just to mount a file system or to make a network namespace costs 2-5 ms; the call itself costs microseconds.
 * All calls here are synchronous on the main thread, which matters for setns and unshare: they change the calling thread only.
 */
const libc = koffi.load(process.platform === "linux" ? "libc.so.6" : "libc.so");

const errnoNames = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));

/** A failed call as an Error with `code` (ENOENT …), `errno` and `syscall`, as Node's own system errors have them. */
export class SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, what: string) {
    const code = errnoNames.get(errno) ?? `errno ${errno}`;
    super(`${syscall} ${what}: ${code}`);
    this.name = "SystemError";
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** Declares a C function whose negative result means failure; the wrapper throws a SystemError then. `what` says on what it was tried. */
export function declare(prototype: string): (what: string, ...args: unknown[]) => number {
  const call = libc.func(prototype);
  const name = call.info?.name ?? /(\w+)\s*\(/.exec(prototype)?.[1] ?? "call";
  return (what, ...args) => {
    const result = Number(call(...args));
    if (result < 0) throw new SystemError(name, koffi.errno(), what);
    return result;
  };
}

/** Runs `work` and turns the absence of a kernel feature into a sentence. */
export function requireKernel<T>(feature: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof SystemError && (thrown.code === "ENOSYS" || thrown.code === "EOPNOTSUPP")) {
      throw new BerthError("unsupported", `this kernel has no ${feature}`, { cause: thrown });
    }
    throw thrown;
  }
}

export { koffi };
