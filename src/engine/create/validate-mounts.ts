import { posix } from "node:path";
import type { MountSpec } from "../../model/container.ts";
import { invalid } from "./invalid.ts";

const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

export function validateMounts(mounts: MountSpec[]): void {
  const targets = new Set<string>();
  for (const mount of mounts) {
    const target = posix.normalize(mount.target).replace(/(.)\/$/, "$1");
    if (!mount.target.startsWith("/")) {
      throw invalid("mounts", `the target ${JSON.stringify(mount.target)} is not absolute`, "begin it with /");
    }
    if (target === "/") throw invalid("mounts", "the target / would hide the whole image");
    if (targets.has(target)) throw invalid("mounts", `two mounts have the target ${target}`, "leave out one of them");
    targets.add(target);
    validateSource(mount);
    if (mount.subpath?.split("/").includes("..") || mount.subpath?.startsWith("/")) {
      throw invalid("mounts", `the subpath ${JSON.stringify(mount.subpath)} leads out of the volume`);
    }
  }
}

function validateSource({ type, source, target, size_bytes }: MountSpec): void {
  if (type === "bind" && !source?.startsWith("/")) {
    throw invalid("mounts", `the source ${JSON.stringify(source ?? "")} of the bind on ${target} is not absolute`);
  }
  if (type === "volume" && source && !volumeName.test(source)) {
    throw invalid(
      "mounts",
      `${JSON.stringify(source)} is neither a volume name nor an absolute path`,
      "a volume name has only a-z A-Z 0-9 _ . -",
    );
  }
  if (type === "tmpfs" && source) throw invalid("mounts", `the tmpfs on ${target} takes no source`);
  if (type === "image" && !source) throw invalid("mounts", `the image mount on ${target} names no image`);
  if (size_bytes !== undefined && size_bytes < 0)
    throw invalid("mounts", `the size of the tmpfs on ${target} is negative`);
}
