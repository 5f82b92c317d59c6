import { declare } from "./libc.ts";

const mountCall = declare(
  "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)",
);
const umountCall = declare("int umount2(const char *target, int flags)");

/** mount(2) flags, from linux/mount.h. */
export const mountFlags = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  remount: 32,
  bind: 4096,
  move: 8192,
  recursive: 16384,
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
} as const;

/** mount(2). `data` are the file system's own options, at most one page (4096 bytes). */
export function mount(
  source: string | null,
  target: string,
  type: string | null,
  flags = 0,
  data: string | null = null,
): void {
  mountCall(`${type ?? "bind"} on ${target}`, source, target, type, flags, data);
}

/** umount2(2). `detach` takes it out of the tree at once even while it is used (MNT_DETACH). */
export function unmount(target: string, options: { detach?: boolean } = {}): void {
  umountCall(target, target, options.detach ? 2 : 0);
}

/** Unmounts; true if it was mounted. */
export function unmountIfMounted(target: string): boolean {
  try {
    unmount(target, { detach: true });
    return true;
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === "EINVAL" || code === "ENOENT") return false;
    throw thrown;
  }
}
