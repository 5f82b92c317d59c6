/** Bits of capability masks in order; linux/capability.h. */
const capabilityBits = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW
  IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD
  LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .trim()
  .split(/\s+/);

/** Names in a mask of /proc/<pid>/status, e.g. CapBnd; bits of newer kernels have no name and are left out. */
export function parseCapabilityMask(hex: string): string[] {
  const mask = BigInt(`0x${hex}`);
  return capabilityBits.filter((_, bit) => (mask >> BigInt(bit)) & 1n).map(name => `CAP_${name}`);
}

/** Names of /proc/<pid>/limits (proc(5)) as ulimit(1) has them. */
const limitTitles: Record<string, string> = {
  "Max address space": "as",
  "Max core file size": "core",
  "Max cpu time": "cpu",
  "Max data size": "data",
  "Max file locks": "locks",
  "Max file size": "fsize",
  "Max locked memory": "memlock",
  "Max msgqueue size": "msgqueue",
  "Max nice priority": "nice",
  "Max open files": "nofile",
  "Max pending signals": "sigpending",
  "Max processes": "nproc",
  "Max realtime priority": "rtprio",
  "Max realtime timeout": "rttime",
  "Max resident set": "rss",
  "Max stack size": "stack",
};

/** Hard limits by name; unlimited ones are left out. */
export function parseHardLimits(text: string): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const [, title, hard] = /^(Max [a-z ]+?)\s+(?:\d+|unlimited)\s+(\d+|unlimited)/.exec(line) ?? [];
    const name = title === undefined ? undefined : limitTitles[title];
    if (name !== undefined && hard !== "unlimited") limits[name] = Number(hard);
  }
  return limits;
}

/** PRETTY_NAME of os-release(5). */
export function parseOsName(text: string): string {
  return /^PRETTY_NAME=(?:"([^"]*)"|'([^']*)'|(\S*))/m.exec(text)?.slice(1).find(Boolean) ?? "Linux";
}
