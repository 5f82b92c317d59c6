import { BerthError } from "../../base/errors.ts";
import type { MountSpec } from "../../model/container.ts";

/** Each pair excludes the other. */
const opposites = new Map(
  [
    ["ro", "rw"],
    ["suid", "nosuid"],
    ["dev", "nodev"],
    ["exec", "noexec"],
    ["sync", "async"],
    ["dirsync", ""],
    ["mand", "nomand"],
    ["atime", "noatime"],
    ["diratime", "nodiratime"],
    ["relatime", "norelatime"],
    ["strictatime", "nostrictatime"],
  ].flatMap(([yes, no]) => [
    [yes!, no!],
    [no!, yes!],
  ]),
);
const keys = new Set(["mode", "uid", "gid", "size", "nr_inodes", "nr_blocks", "mpol"]);

/** Options of a tmpfs: Docker's safe defaults, each replaced by what the user typed against it. tmpfs(5), mount(8). */
export function tmpfsOptions(spec: MountSpec): string[] {
  const chosen = new Map<string, string>();
  const set = (option: string) => {
    const key = option.split("=", 1)[0]!;
    if (!keys.has(key) && !opposites.has(option)) {
      throw new BerthError("invalid", `mounts: '${option}' is not an option of a tmpfs (at ${spec.target})`);
    }
    chosen.delete(opposites.get(key) ?? "");
    chosen.delete(key);
    chosen.set(key, option);
  };
  for (const option of ["noexec", "nosuid", "nodev"]) set(option);
  if (spec.readOnly) set("ro");
  if (spec.size_bytes) set(`size=${spec.size_bytes}`);
  if (spec.mode !== undefined) set(`mode=${spec.mode.toString(8)}`);
  for (const option of (spec.options ?? []).flatMap(text => text.split(",")).filter(Boolean)) set(option);
  return [...chosen.values()];
}
