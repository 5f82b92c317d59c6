import { closeSync, constants, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { BerthError } from "../../base/errors.ts";
import { requireKernel } from "../linux/libc.ts";
import { mount, mountFlags } from "../linux/mount.ts";

/** mount(2) takes one page of options, its final zero included. */
const optionsLimit_bytes = 4095;

export interface OverlayInput {
  /** Directory of the short links. */
  links: string;
  /** Names in `links`, or absolute paths; lowest first. */
  layers: string[];
  /** Absent for a read-only view. */
  writable?: { upper: string; work: string };
  target: string;
}

/**
 * Mounts a stack by one system call. Layers go by absolute short links, which leaves mount tables readable; a stack too tall for one page goes through the open
 * directory of the links (/proc/self/fd/N/name), which is 128 layers and more from any data directory. Changing into that directory, as programs of one thread do,
 * would mislead every relative path that another thread of this process is just resolving.
 */
export function mountOverlay(input: OverlayInput): void {
  const absolute = overlayOptions(input, input.links);
  if (Buffer.byteLength(absolute) <= optionsLimit_bytes) {
    mountWith(input, absolute);
    return;
  }
  const fd = openSync(input.links, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const options = overlayOptions(input, `/proc/self/fd/${fd}`);
    if (Buffer.byteLength(options) > optionsLimit_bytes) {
      throw new BerthError("exhausted", `mount ${input.layers.length} layers: the kernel does not take that many`, {
        hint: "merge some layers of the image (build it with fewer steps, or export and import it)",
      });
    }
    mountWith(input, options);
  } finally {
    closeSync(fd);
  }
}

/** What changes is found by looking at the upper directory alone, so overlayfs must keep nothing elsewhere: no redirects, no metadata-only copies, no index. */
export function overlayOptions({ layers, writable }: OverlayInput, links: string): string {
  const lower = layers
    .toReversed()
    .map(name => (name.startsWith("/") ? name : `${links}/${name}`))
    .join(":");
  const upper = writable === undefined ? [] : [`upperdir=${writable.upper}`, `workdir=${writable.work}`];
  return [`lowerdir=${lower}`, ...upper, "index=off", "metacopy=off", "redirect_dir=off"].join(",");
}

function mountWith({ target, writable }: OverlayInput, options: string): void {
  const flags = writable === undefined ? mountFlags.readOnly : 0;
  requireKernel("overlayfs", () => mount("overlay", target, "overlay", flags, options));
}

/** Whether something is mounted on a directory: it is then on another device than its parent. */
export function isMounted(target: string): boolean {
  const at = statSync(target, { throwIfNoEntry: false });
  return at !== undefined && at.dev !== statSync(dirname(target)).dev;
}
