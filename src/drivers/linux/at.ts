import { closeSync, constants, readdirSync } from "node:fs";
import { makeDevice } from "./files.ts";
import { declare, koffi, SystemError } from "./libc.ts";

/**
 * Calls relative to an open directory, with names as bytes. Whoever holds the directory's descriptor cannot be led elsewhere by links that somebody else puts on
 * the way. Names are byte strings (one character a byte), as image/layer/tar-entry.ts has them.
 */
const openatCall = declare("int openat(int dirfd, const void *path, int flags, uint32_t mode)");
const openat2Call = declare("long syscall(long number, int dirfd, const void *path, const void *how, size_t size)");
const mkdiratCall = declare("int mkdirat(int dirfd, const void *path, uint32_t mode)");
const mknodatCall = declare("int mknodat(int dirfd, const void *path, uint32_t mode, uint64_t device)");
const linkatCall = declare("int linkat(int olddir, const void *oldpath, int newdir, const void *newpath, int flags)");
const symlinkatCall = declare("int symlinkat(const void *target, int dirfd, const void *path)");
const unlinkatCall = declare("int unlinkat(int dirfd, const void *path, int flags)");
const fchownatCall = declare("int fchownat(int dirfd, const void *path, uint32_t uid, uint32_t gid, int flags)");
const fchmodatCall = declare("int fchmodat(int dirfd, const void *path, uint32_t mode, int flags)");
const utimensatCall = declare("int utimensat(int dirfd, const void *path, const void *times, int flags)");
const futimensCall = declare("int futimens(int fd, const void *times)");
const fsetxattrCall = declare("int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)");

const SYS_openat2 = 437;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const S_IFMT = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const;

/** openat2(2): links are followed as if the directory were the root of everything, so that none leads out of it. */
const RESOLVE_IN_ROOT = 0x10;
const RESOLVE_NO_MAGICLINKS = 0x02;

/** Not among Node's constants: not even reading, only a place. */
export const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

const bytes = (name: string): Buffer => Buffer.from(`${name}\0`, "latin1");

export function openAt(dirfd: number, name: string, flags: number, mode = 0): number {
  return openatCall(name, dirfd, bytes(name), flags | O_CLOEXEC, mode);
}

const how = Buffer.alloc(24);

/** Opens a path below a directory; links in it are resolved inside that directory, absolute ones too. */
export function openInRoot(dirfd: number, path: string, flags: number): number {
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
  const name = bytes(path === "" ? "." : path);
  for (let tries = 1; ; tries++) {
    try {
      return openat2Call(path, SYS_openat2, dirfd, name, how, how.length);
    } catch (thrown) {
      // Somewhere on the machine a directory was renamed while ".." of a link was resolved, and the kernel could not be sure.
      if (tries < 100 && thrown instanceof SystemError && thrown.code === "EAGAIN") continue;
      throw thrown;
    }
  }
}

export function makeDirectoryAt(dirfd: number, name: string, mode: number): void {
  mkdiratCall(name, dirfd, bytes(name), mode);
}

export function makeNodeAt(
  dirfd: number,
  name: string,
  type: keyof typeof S_IFMT,
  device: { major: number; minor: number } = { major: 0, minor: 0 },
): void {
  mknodatCall(name, dirfd, bytes(name), S_IFMT[type] | 0o600, makeDevice(device.major, device.minor));
}

export function linkAt(fromDir: number, from: string, toDir: number, to: string): void {
  linkatCall(to, fromDir, bytes(from), toDir, bytes(to), 0);
}

export function symlinkAt(target: string, dirfd: number, name: string): void {
  symlinkatCall(name, bytes(target), dirfd, bytes(name));
}

/** Of the name itself, never of what a link points to. */
export function chownAt(dirfd: number, name: string, uid: number, gid: number): void {
  fchownatCall(name, dirfd, bytes(name), uid, gid, AT_SYMLINK_NOFOLLOW);
}

/** Follows a link: only for names known to be none. */
export function chmodAt(dirfd: number, name: string, mode: number): void {
  fchmodatCall(name, dirfd, bytes(name), mode, 0);
}

export interface FileTime {
  seconds: number;
  nanoseconds: number;
}

const timespecs = Buffer.alloc(32);

/** Access and modification time alike. */
function bothTimes({ seconds, nanoseconds }: FileTime): Buffer {
  for (const at of [0, 16]) {
    timespecs.writeBigInt64LE(BigInt(seconds), at);
    timespecs.writeBigInt64LE(BigInt(nanoseconds), at + 8);
  }
  return timespecs;
}

export function setTimesAt(dirfd: number, name: string, time: FileTime): void {
  utimensatCall(name, dirfd, bytes(name), bothTimes(time), AT_SYMLINK_NOFOLLOW);
}

export function setTimes(fd: number, time: FileTime): void {
  futimensCall(`file ${fd}`, fd, bothTimes(time));
}

export function setXattrOf(fd: number, name: string, value: Buffer): void {
  fsetxattrCall(name, fd, name, value, value.length, 0);
}

/** Removes whatever has this name, with all below it; nothing there is fine. */
export function removeTreeAt(dirfd: number, name: string): void {
  if (unlinkUnlessDirectory(dirfd, name)) return;
  const fd = openAt(dirfd, name, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    for (const child of readdirSync(`/proc/self/fd/${fd}`, "latin1")) removeTreeAt(fd, child);
  } finally {
    closeSync(fd);
  }
  unlinkatCall(name, dirfd, bytes(name), AT_REMOVEDIR);
}

function unlinkUnlessDirectory(dirfd: number, name: string): boolean {
  try {
    unlinkatCall(name, dirfd, bytes(name), 0);
    return true;
  } catch (thrown) {
    const code = thrown instanceof SystemError ? thrown.code : "";
    if (code === "ENOENT") return true;
    if (code === "EISDIR" || code === "EPERM") return false;
    throw thrown;
  }
}

const syncfsCall = koffi.load("libc.so.6").func("int syncfs(int fd)");

/** syncfs(2) beside the main thread: all that was written to the file system of `fd` is on disk when it resolves. */
export function syncFileSystem(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    syncfsCall.async(fd, (failure: unknown, result: number) => {
      if (failure) reject(failure);
      else if (result < 0) reject(new SystemError("syncfs", 5, `file ${fd}`));
      else resolve();
    });
  });
}
