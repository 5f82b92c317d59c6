import { setXattrOf } from "../linux/at.ts";
import { SystemError } from "../linux/libc.ts";

/**
 * Attributes that layers carry. overlayfs's own (trusted.overlay.*, user.overlay.*) never: a layer could point with them at directories that it does not own.
 * Labels of the host's security modules belong to the host.
 */
export function isLayerXattr(name: string): boolean {
  if (name.startsWith("user.")) return !name.startsWith("user.overlay.");
  return name === "security.capability" || name === "system.posix_acl_access" || name === "system.posix_acl_default";
}

/** File systems without user attributes are told from real failures, as Docker does; capabilities must be kept or the program would not work. */
export function applyXattrs(fd: number, xattrs: Map<string, Buffer>): void {
  for (const [name, value] of xattrs) {
    if (!isLayerXattr(name)) continue;
    try {
      setXattrOf(fd, name, value);
    } catch (thrown) {
      const isUnsupported =
        thrown instanceof SystemError && (thrown.code === "ENOTSUP" || thrown.code === "EOPNOTSUPP");
      if (!isUnsupported || name === "security.capability") throw thrown;
    }
  }
}
