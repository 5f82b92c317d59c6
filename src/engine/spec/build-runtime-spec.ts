import { BerthError } from "../../base/errors.ts";
import { capabilitySets, chooseCapabilities } from "./capabilities.ts";
import { grantDevices } from "./devices.ts";
import type { NamespaceTarget, RuntimeSpecInput } from "./input.ts";
import { buildMounts, initTarget, rootPropagation } from "./mounts.ts";
import type { OciNamespace, OciProcess, OciSeccomp, OciSpec } from "./oci.ts";
import { completeEnvironment, oomScore, resourceLimits } from "./process.ts";
import { limitResources } from "./resources.ts";
import { customSeccomp, defaultSeccomp } from "./seccomp.ts";
import { parseSecurityOptions, type SecurityOptions } from "./security-options.ts";
import { chooseSysctls } from "./sysctls.ts";
import { resolveUser } from "./users.ts";

/** What of /proc and /sys would tell of, or change, the host: Docker's lists. */
const maskedPaths = `
  /proc/asound /proc/acpi /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/timer_stats /proc/sched_debug /proc/scsi
  /sys/firmware /sys/devices/virtual/powercap`
  .trim()
  .split(/\s+/);
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export interface BuiltSpec {
  spec: OciSpec;
  /** Sentences: what was asked for and cannot be had here. */
  warnings: string[];
}

/**
 * The OCI runtime specification (1.0, config.md) of a container. Pure: the same input gives the same spec. Throws `invalid` naming the field where
 * what is asked for cannot be, `unsupported` where Berth does not do it.
 */
export function buildRuntimeSpec(input: RuntimeSpecInput): BuiltSpec {
  const { spec, host, namespaces } = input;
  checkCombinations(input);
  const security = parseSecurityOptions(spec.securityOptions);
  const built = buildProcess(input, security);
  const limits = limitResources(spec.resources, host, input.deviceNodes);
  const granted = grantDevices(
    { devices: spec.devices, rules: spec.resources.deviceCgroupRules, privileged: spec.privileged },
    input.deviceNodes,
  );
  const open = spec.privileged || security.systemPathsUnconfined;
  const propagation = rootPropagation(input.mounts);
  const filter = chooseSeccomp(input, security, built.process.capabilities.bounding);
  return {
    spec: {
      ociVersion: "1.0.2",
      process: built.process,
      root: { path: input.rootfsPath, readonly: spec.readOnlyRootfs === true },
      ...(namespaces.uts === "host" ? {} : { hostname: input.hostname }),
      mounts: buildMounts(input),
      ...(spec.annotations ? { annotations: spec.annotations } : {}),
      linux: {
        namespaces: buildNamespaces(namespaces),
        cgroupsPath: input.cgroupPath,
        resources: { ...limits.resources, devices: granted.rules },
        devices: granted.devices,
        sysctl: chooseSysctls(input),
        ...(filter ? { seccomp: filter } : {}),
        maskedPaths: spec.maskedPaths ?? (open ? [] : maskedPaths),
        readonlyPaths: spec.readonlyPaths ?? (open ? [] : readonlyPaths),
        ...(propagation ? { rootfsPropagation: propagation } : {}),
      },
    },
    warnings: [...built.warnings, ...limits.warnings],
  };
}

function checkCombinations({ spec, namespaces, process }: RuntimeSpecInput): void {
  if (process.args.length === 0 || process.args[0] === "") {
    throw new BerthError("invalid", "command: neither the image nor the request says what to run", {
      hint: "give a command after the image",
    });
  }
  if (process.workingDir !== "" && !process.workingDir.startsWith("/")) {
    throw new BerthError("invalid", `workingDir: '${process.workingDir}' is not an absolute path`);
  }
  if (namespaces.uts === "host" && spec.hostname) {
    throw new BerthError("invalid", "hostname: cannot be set with the host's UTS namespace");
  }
  const user = spec.namespaces.user ?? "";
  if (user !== "" && user !== "host") {
    throw new BerthError("unsupported", `namespaces.user: '${user}' is not supported, only the host's`);
  }
  if (spec.init && namespaces.pid !== "private") {
    throw new BerthError("invalid", "init: an init process needs a process namespace of the container's own", {
      hint: "leave out init, or the pid mode",
    });
  }
}

function buildProcess(input: RuntimeSpecInput, security: SecurityOptions): { process: OciProcess; warnings: string[] } {
  const { spec, host } = input;
  const user = resolveUser(input.process.user, input, spec.groups);
  const capabilities = chooseCapabilities(
    { add: spec.capAdd, drop: spec.capDrop, privileged: spec.privileged },
    host.capabilities,
  );
  const limits = resourceLimits(spec.ulimits ?? [], host);
  const oom = oomScore(spec.oomScoreAdj, host);
  const tty = spec.tty === true;
  const profile = host.apparmor && security.apparmor !== "unconfined" ? security.apparmor : undefined;
  const warnings = [...limits.warnings, ...oom.warnings];
  if (security.apparmor && security.apparmor !== "unconfined" && !host.apparmor) {
    warnings.push(`this kernel has no AppArmor: profile ${security.apparmor} is left out`);
  }
  return {
    process: {
      terminal: tty,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: spec.init ? [initTarget, "--", ...input.process.args] : input.process.args,
      env: completeEnvironment(input.process.env, { hostname: input.hostname, tty, home: user.home }),
      cwd: input.process.workingDir || "/",
      capabilities: capabilitySets(capabilities, user.uid),
      rlimits: limits.rlimits,
      noNewPrivileges: security.noNewPrivileges ?? input.noNewPrivileges ?? false,
      ...(oom.score === undefined ? {} : { oomScoreAdj: oom.score }),
      ...(profile ? { apparmorProfile: profile } : {}),
    },
    warnings,
  };
}

function chooseSeccomp(
  { spec, host }: RuntimeSpecInput,
  { seccomp }: SecurityOptions,
  capabilities: string[],
): OciSeccomp | undefined {
  if (seccomp === "unconfined") return undefined;
  const situation = { architecture: host.architecture, kernel: host.kernel, capabilities };
  if (seccomp !== undefined) {
    if (!host.seccomp) {
      throw new BerthError("unsupported", "securityOptions: this kernel has no seccomp, so no profile can be set");
    }
    return customSeccomp(seccomp.profile, situation);
  }
  return spec.privileged || !host.seccomp ? undefined : defaultSeccomp(situation);
}

function buildNamespaces(targets: RuntimeSpecInput["namespaces"]): OciNamespace[] {
  const kinds = Object.entries(targets) as [keyof RuntimeSpecInput["namespaces"], NamespaceTarget][];
  const chosen = kinds.flatMap(([type, target]): OciNamespace[] => {
    if (target === "host") return [];
    return target === "private" ? [{ type }] : [{ type, path: target.path }];
  });
  return [...chosen, { type: "mount" }];
}
