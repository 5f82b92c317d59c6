import { declare, SystemError } from "./libc.ts";

const mknodCall = declare("int mknod(const char *path, uint32_t mode, uint64_t device)");
const lsetxattrCall = declare(
  "int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)",
);
const lgetxattrCall = declare(
  "intptr_t lgetxattr(const char *path, const char *name, _Out_ uint8_t *value, size_t size)",
);
const llistxattrCall = declare("intptr_t llistxattr(const char *path, _Out_ uint8_t *list, size_t size)");

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;
const fileTypes = { char: S_IFCHR, block: S_IFBLK, fifo: S_IFIFO } as const;

/** Device number as glibc's makedev encodes it. */
export function makeDevice(major: number, minor: number): bigint {
  const high = BigInt(major);
  const low = BigInt(minor);
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}

/** mknod(2); the mode is subject to the umask, so follow with chmod. */
export function mknod(
  path: string,
  type: keyof typeof fileTypes,
  mode: number,
  device: { major: number; minor: number } = { major: 0, minor: 0 },
): void {
  mknodCall(path, path, fileTypes[type] | mode, makeDevice(device.major, device.minor));
}

/** Sets an extended attribute of the path itself, never of what a link points to. */
export function setXattr(path: string, name: string, value: Buffer): void {
  lsetxattrCall(`${name} of ${path}`, path, name, value, value.length, 0);
}

/** Undefined where it is not set (or the file system has none). */
export function getXattr(path: string, name: string): Buffer | undefined {
  return readGrowing(buffer => lgetxattrCall(`${name} of ${path}`, path, name, buffer, buffer.length));
}

export function listXattrs(path: string): string[] {
  const list = readGrowing(buffer => llistxattrCall(path, path, buffer, buffer.length));
  return list === undefined ? [] : list.toString("utf8").split("\0").filter(Boolean);
}

function readGrowing(read: (buffer: Buffer) => number): Buffer | undefined {
  for (let size = 1024; ; size *= 8) {
    const buffer = Buffer.alloc(size);
    try {
      return buffer.subarray(0, read(buffer));
    } catch (thrown) {
      if (!(thrown instanceof SystemError)) throw thrown;
      if (thrown.code === "ENODATA" || thrown.code === "EOPNOTSUPP") return undefined;
      if (thrown.code !== "ERANGE" || size > 65536) throw thrown;
    }
  }
}
