import { BerthError } from "../../base/errors.ts";
import type { OciCapabilities } from "./oci.ts";

/** capabilities(7), all that Linux has as of 6.x. */
export const knownCapabilities = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW
  IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD
  LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .trim()
  .split(/\s+/)
  .map(name => `CAP_${name}`);

/** What a container gets when nothing is asked for: Docker's set, so that images made for Docker work and no more. */
export const defaultCapabilities = `
  CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE`
  .trim()
  .split(/\s+/)
  .map(name => `CAP_${name}`);

/**
 * The container's capabilities. `ALL` in `add` starts from everything the host has, in `drop` from nothing; then single ones are added and dropped.
 * Asking by name for one that the host does not have is an error; ALL and privileged give what there is.
 */
export function chooseCapabilities(
  wish: { add?: string[]; drop?: string[]; privileged?: boolean },
  hostCapabilities: string[],
): string[] {
  const onHost = new Set(hostCapabilities);
  const everything = knownCapabilities.filter(name => onHost.has(name));
  if (wish.privileged) return everything;
  const add = (wish.add ?? []).map(name => normalise(name, "capAdd"));
  const drop = (wish.drop ?? []).map(name => normalise(name, "capDrop"));
  const missing = add.find(name => name !== "ALL" && !onHost.has(name));
  if (missing !== undefined) {
    throw new BerthError("invalid", `capAdd: this host cannot give ${missing}: it does not have it itself`);
  }
  const start = add.includes("ALL") ? everything : drop.includes("ALL") ? [] : defaultCapabilities;
  const chosen = new Set([...start.filter(name => onHost.has(name)), ...add]);
  for (const name of drop) {
    // --cap-drop ALL --cap-add X keeps X, and so does the same with ALL added first.
    if (name !== "ALL") chosen.delete(name);
  }
  return knownCapabilities.filter(name => chosen.has(name));
}

/** As execve(2) would have it: a user other than root starts with nothing but the bound of what it may ever get. */
export function capabilitySets(chosen: string[], uid: number): OciCapabilities {
  return uid === 0 ? { bounding: chosen, effective: chosen, permitted: chosen } : { bounding: chosen };
}

function normalise(name: string, field: string): string {
  const upper = name.toUpperCase();
  if (upper === "ALL" || upper === "CAP_ALL") return "ALL";
  const full = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (!knownCapabilities.includes(full)) {
    throw new BerthError("invalid", `${field}: '${name}' is not a capability of Linux`, {
      hint: "capabilities(7) has the list; e.g. NET_ADMIN",
    });
  }
  return full;
}
