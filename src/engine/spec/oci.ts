/** The parts of the OCI runtime specification 1.0 (config.md, config-linux.md) that Berth writes. */

export type OciMount = { destination: string; type: string; source: string; options: string[] };

/**
 * RLIM_INFINITY, 2^64-1: no number of JavaScript is exactly that, so it is JSON text (JSON.rawJSON, in V8 since 11.4, is not in TypeScript's library yet).
 */
export const noLimit = (JSON as unknown as { rawJSON(text: string): { rawJSON: string } }).rawJSON(
  "18446744073709551615",
);

export type OciRlimit = { type: string; soft: number | typeof noLimit; hard: number | typeof noLimit };

export type OciUser = { uid: number; gid: number; additionalGids?: number[] };

export type OciCapabilities = { bounding: string[]; effective?: string[]; permitted?: string[]; ambient?: string[] };

export type OciProcess = {
  terminal: boolean;
  user: OciUser;
  args: string[];
  env: string[];
  cwd: string;
  capabilities: OciCapabilities;
  rlimits: OciRlimit[];
  noNewPrivileges: boolean;
  oomScoreAdj?: number;
  apparmorProfile?: string;
};

export type OciNamespace = { type: "network" | "pid" | "ipc" | "uts" | "cgroup" | "mount" | "user"; path?: string };

export type OciDevice = {
  path: string;
  type: "c" | "b";
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
};

export type OciDeviceRule = { allow: boolean; type?: "a" | "b" | "c"; major?: number; minor?: number; access: string };

export type OciThrottle = { major: number; minor: number; rate: number };

export type OciResources = {
  devices?: OciDeviceRule[];
  memory?: {
    limit?: number;
    reservation?: number;
    swap?: number;
    swappiness?: number;
    disableOOMKiller?: boolean;
  };
  cpu?: {
    shares?: number;
    quota?: number;
    period?: number;
    realtimeRuntime?: number;
    realtimePeriod?: number;
    cpus?: string;
    mems?: string;
  };
  pids?: { limit: number };
  blockIO?: {
    weight?: number;
    weightDevice?: { major: number; minor: number; weight: number }[];
    throttleReadBpsDevice?: OciThrottle[];
    throttleWriteBpsDevice?: OciThrottle[];
    throttleReadIOPSDevice?: OciThrottle[];
    throttleWriteIOPSDevice?: OciThrottle[];
  };
};

export type OciSeccomp = {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  flags?: string[];
  syscalls: OciSyscall[];
};

export type OciSyscall = {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: { index: number; value: number; valueTwo?: number; op: string }[];
};

export type OciSpec = {
  ociVersion: string;
  process: OciProcess;
  root: { path: string; readonly: boolean };
  hostname?: string;
  mounts: OciMount[];
  annotations?: Record<string, string>;
  linux: {
    namespaces: OciNamespace[];
    cgroupsPath: string;
    resources: OciResources;
    devices: OciDevice[];
    sysctl: Record<string, string>;
    seccomp?: OciSeccomp;
    maskedPaths: string[];
    readonlyPaths: string[];
    rootfsPropagation?: string;
  };
};
