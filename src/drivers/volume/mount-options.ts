import { BerthError } from "../../base/errors.ts";

/** What mount(2) takes: flags that the kernel knows for every file system, and text for the one that is mounted. */
export interface MountPlan {
  source: string;
  type: string;
  flags: number;
  data: string;
  /** Host name in `addr=`, which the kernel wants as an address: to be looked up. */
  addressToResolve?: string;
}

/** Flags by their names in mount(8), from linux/mount.h; `clear` names take them away again. */
const MS_BIND = 4096;
const MS_REC = 16384;
const flags: Record<string, { set?: number; clear?: number }> = {
  defaults: {},
  ro: { set: 1 },
  rw: { clear: 1 },
  nosuid: { set: 2 },
  suid: { clear: 2 },
  nodev: { set: 4 },
  dev: { clear: 4 },
  noexec: { set: 8 },
  exec: { clear: 8 },
  sync: { set: 16 },
  async: { clear: 16 },
  dirsync: { set: 128 },
  mand: { set: 64 },
  nomand: { clear: 64 },
  noatime: { set: 1024 },
  atime: { clear: 1024 },
  nodiratime: { set: 2048 },
  diratime: { clear: 2048 },
  bind: { set: MS_BIND },
  rbind: { set: MS_BIND | MS_REC },
  relatime: { set: 1 << 21 },
  norelatime: { clear: 1 << 21 },
  strictatime: { set: 1 << 24 },
  nostrictatime: { clear: 1 << 24 },
};

export const isBind = (plan: MountPlan): boolean => (plan.flags & MS_BIND) !== 0;
/** Flags that a bind mount takes only in a second step. */
export const bindFlags = (plan: MountPlan): number => plan.flags & ~(MS_BIND | MS_REC);

/**
 * The options `type`, `o` and `device` of Docker's local driver; undefined where they ask for no mount. Throws `invalid` for what they cannot mean.
 */
export function mountPlan(name: string, options: Record<string, string>): MountPlan | undefined {
  const what = `could not use the options of the volume ${name}`;
  for (const key of Object.keys(options)) {
    if (!["type", "o", "device"].includes(key)) {
      throw new BerthError("invalid", `${what}: the driver local has no option "${key}"`, {
        hint: "it has type, o and device",
      });
    }
  }
  const { type = "", o = "", device = "" } = options;
  if (type === "" && o === "" && device === "") return undefined;
  const words = o.split(",").filter(word => word !== "");
  const bits = words.reduce((sum, word) => (sum | (flags[word]?.set ?? 0)) & ~(flags[word]?.clear ?? 0), 0);
  const data = words.filter(word => !Object.hasOwn(flags, word));
  const bind = (bits & MS_BIND) !== 0;
  if (device === "" && type !== "tmpfs")
    throw new BerthError("invalid", `${what}: "device" is missing`, { hint: "say what is to be mounted" });
  if (type === "" && !bind)
    throw new BerthError("invalid", `${what}: "type" is missing`, { hint: "give the file system's type, or o=bind" });
  if (bind && !device.startsWith("/")) throw new BerthError("invalid", `${what}: "${device}" is not an absolute path`);
  const address = data.find(word => word.startsWith("addr="))?.slice("addr=".length);
  return {
    source: device || type,
    type: bind ? "none" : type,
    flags: bits,
    data: data.join(","),
    addressToResolve: address,
  };
}

export function withAddress(plan: MountPlan, address: string): MountPlan {
  const data = plan.data.split(",").map(word => (word.startsWith("addr=") ? `addr=${address}` : word));
  return { ...plan, data: data.join(","), addressToResolve: undefined };
}
