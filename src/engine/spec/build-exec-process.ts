import { BerthError } from "../../base/errors.ts";
import type { ContainerSpec } from "../../model/container.ts";
import type { ExecSpec } from "../../ports/engine.ts";
import type { HostFacts } from "../../ports/host.ts";
import { capabilitySets, chooseCapabilities } from "./capabilities.ts";
import type { OciProcess } from "./oci.ts";
import { completeEnvironment, resourceLimits } from "./process.ts";
import { parseSecurityOptions } from "./security-options.ts";
import { resolveUser } from "./users.ts";

export interface ExecProcessInput {
  exec: ExecSpec;
  container: {
    spec: ContainerSpec;
    process: { env: string[]; workingDir: string; user: string };
    hostname: string;
  };
  /** The root file system's /etc/passwd and /etc/group, now; empty where it has none. */
  passwd: string;
  group: string;
  host: HostFacts;
  noNewPrivileges?: boolean;
}

/** The OCI process object of a further process in a container: the container's own environment, rights and limits, as far as the exec does not say otherwise. */
export function buildExecProcess({ exec, container, host, ...files }: ExecProcessInput): OciProcess {
  const { spec } = container;
  if (exec.args.length === 0 || exec.args[0] === "") throw new BerthError("invalid", "args: say what to run");
  if (exec.workingDir && !exec.workingDir.startsWith("/")) {
    throw new BerthError("invalid", `workingDir: '${exec.workingDir}' is not an absolute path`);
  }
  // As in Docker, groups given to the container count for its own user only.
  const user = resolveUser(exec.user || container.process.user, files, exec.user ? [] : spec.groups);
  const security = parseSecurityOptions(spec.securityOptions);
  const privileged = exec.privileged || spec.privileged;
  const capabilities = chooseCapabilities({ add: spec.capAdd, drop: spec.capDrop, privileged }, host.capabilities);
  const tty = exec.tty === true;
  const profile = host.apparmor && security.apparmor !== "unconfined" ? security.apparmor : undefined;
  return {
    terminal: tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: exec.args,
    env: completeEnvironment(overlay(container.process.env, exec.env ?? []), {
      hostname: container.hostname,
      tty,
      home: user.home,
    }),
    cwd: exec.workingDir || container.process.workingDir || "/",
    capabilities: capabilitySets(capabilities, user.uid),
    rlimits: resourceLimits(spec.ulimits ?? [], host).rlimits,
    noNewPrivileges: security.noNewPrivileges ?? files.noNewPrivileges ?? false,
    ...(profile ? { apparmorProfile: profile } : {}),
  };
}

/** KEY=VALUE replaces, a bare KEY removes. */
function overlay(base: string[], changes: string[]): string[] {
  const entries = new Map(base.map(entry => [keyOf(entry), entry]));
  for (const change of changes) {
    if (change.includes("=")) entries.set(keyOf(change), change);
    else entries.delete(change);
  }
  return [...entries.values()];
}

const keyOf = (entry: string) => entry.split("=", 1)[0]!;
