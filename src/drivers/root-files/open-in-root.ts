import { closeSync, constants, openSync, readlinkSync } from "node:fs";
import { BerthError } from "../../base/errors.ts";
import { declare, requireKernel, SystemError } from "../linux/libc.ts";

/** openat2(2) has no wrapper in glibc; its number is the same on all architectures. */
const SYS_openat2 = 437;
const openat2Call = declare("intptr_t syscall(long number, long root, const char *path, const void *how, size_t size)");

const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;
export const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
/** The kernel asks to try again when something was renamed while it walked. */
const attempts = 100;

/** An open file or directory, closed at the end of its scope. */
export interface OpenFile extends Disposable {
  fd: number;
  /** Path that names the very object, whatever happens to its name. */
  path: string;
}

export function openFile(fd: number): OpenFile {
  return { fd, path: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
}

export function openRoot(root: string): OpenFile {
  return openFile(openSync(root, O_PATH | constants.O_DIRECTORY));
}

/** Opens `path` below `root` as if `root` were the file system's root: no link and no `..` leads out, whoever changes what meanwhile. Throws SystemError. */
export function openInRoot(root: OpenFile, path: string, flags: number): OpenFile {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
  for (let attempt = 1; ; attempt++) {
    try {
      return requireKernel("openat2 (Linux 5.6)", () =>
        openFile(openat2Call(path, SYS_openat2, root.fd, path.replace(/^\/*/, "") || ".", how, how.length)),
      );
    } catch (thrown) {
      if (!(thrown instanceof SystemError) || thrown.code !== "EAGAIN" || attempt === attempts) throw thrown;
    }
  }
}

/** Path of an open object as seen from the root. */
export function pathInRoot(root: OpenFile, file: OpenFile): string {
  const top = readlinkSync(root.path).replace(/\/$/, "");
  const full = readlinkSync(file.path);
  return full.startsWith(`${top}/`) ? full.slice(top.length) : full === top ? "/" : full;
}

/** System errors of file operations as a user should read them; `what` is the path as the user gave it. */
export function pathError(thrown: unknown, what: string): unknown {
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new BerthError("not_found", `Could not find the file ${what} in the container`, { cause: thrown });
  }
  if (code === "EROFS") {
    return new BerthError("forbidden", `cannot write ${what}: the file system there is read-only`, { cause: thrown });
  }
  if (code === "ELOOP") return new BerthError("invalid", `${what} leads through too many links`, { cause: thrown });
  return thrown;
}
