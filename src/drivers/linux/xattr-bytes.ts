import { declare, SystemError } from "./libc.ts";

/** Extended attributes of paths given as bytes, for trees whose names need not be UTF-8. The path itself is meant, never what a link points to. */
const getCall = declare("intptr_t lgetxattr(const void *path, const char *name, _Out_ uint8_t *value, size_t size)");
const listCall = declare("intptr_t llistxattr(const void *path, _Out_ uint8_t *list, size_t size)");

const buffer = Buffer.alloc(1 << 16);
const absent = new Set(["ENODATA", "EOPNOTSUPP", "ENOTSUP"]);

function read(call: () => number): Buffer | undefined {
  try {
    return Buffer.from(buffer.subarray(0, call()));
  } catch (thrown) {
    if (thrown instanceof SystemError && absent.has(thrown.code)) return undefined;
    throw thrown;
  }
}

export function xattrOfPath(path: Buffer, name: string): Buffer | undefined {
  const terminated = Buffer.concat([path, Buffer.of(0)]);
  return read(() => getCall(`${name} of ${path}`, terminated, name, buffer, buffer.length));
}

export function xattrsOfPath(path: Buffer): Map<string, Buffer> {
  const terminated = Buffer.concat([path, Buffer.of(0)]);
  const names = read(() => listCall(String(path), terminated, buffer, buffer.length));
  const found = new Map<string, Buffer>();
  if (names === undefined || names.length === 0) return found;
  for (const name of names.toString("utf8").split("\0").filter(Boolean)) {
    const value = xattrOfPath(path, name);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}
