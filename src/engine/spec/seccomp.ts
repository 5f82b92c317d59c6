import { BerthError } from "../../base/errors.ts";
import type { OciSeccomp, OciSyscall } from "./oci.ts";
import { defaultSeccompProfile } from "./seccomp-default.ts";

/** A rule that holds only for some machines or capabilities: the format of Docker's profiles (moby, profiles/seccomp). */
export type ConditionalSyscall = Partial<OciSyscall> & {
  action: string;
  /** Before `names` there was `name`. */
  name?: string;
  includes?: SeccompCondition;
  excludes?: SeccompCondition;
  comment?: string;
};

export interface SeccompCondition {
  caps?: string[];
  /** As Go calls them: amd64, arm64 … */
  arches?: string[];
  minKernel?: string;
}

export interface SeccompProfile {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  archMap?: { architecture: string; subArchitectures?: string[] | null }[];
  flags?: string[];
  syscalls?: ConditionalSyscall[] | null;
}

export interface SeccompSituation {
  architecture: string;
  kernel: string;
  /** CAP_… that the container has. */
  capabilities: string[];
}

const nativeArchitectures: Record<string, string> = {
  amd64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
  riscv64: "SCMP_ARCH_RISCV64",
  s390x: "SCMP_ARCH_S390X",
  ppc64le: "SCMP_ARCH_PPC64LE",
};

/** The default filter as it applies to a container with these capabilities on this machine. */
export function defaultSeccomp(situation: SeccompSituation): OciSeccomp {
  return resolveSeccomp(defaultSeccompProfile, situation);
}

/** The filter that a profile's text (JSON as for docker's --security-opt seccomp=) means here. Throws `invalid`. */
export function customSeccomp(text: string, situation: SeccompSituation): OciSeccomp {
  let profile: SeccompProfile;
  try {
    profile = JSON.parse(text) as SeccompProfile;
  } catch (thrown) {
    throw new BerthError("invalid", "securityOptions: the seccomp profile is not JSON", { cause: thrown });
  }
  if (typeof profile.defaultAction !== "string") {
    throw new BerthError("invalid", "securityOptions: the seccomp profile has no defaultAction");
  }
  if (profile.architectures?.length && profile.archMap?.length) {
    throw new BerthError("invalid", "securityOptions: the seccomp profile has both architectures and archMap");
  }
  return resolveSeccomp(profile, situation);
}

function resolveSeccomp(profile: SeccompProfile, situation: SeccompSituation): OciSeccomp {
  const native = nativeArchitectures[situation.architecture];
  const entry = profile.archMap?.find(({ architecture }) => architecture === native);
  const architectures = entry ? [entry.architecture, ...(entry.subArchitectures ?? [])] : profile.architectures;
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures?.length ? { architectures } : {}),
    ...(profile.flags?.length ? { flags: profile.flags } : {}),
    syscalls: (profile.syscalls ?? []).filter(rule => applies(rule, situation)).map(plainRule),
  };
}

function applies({ includes, excludes }: ConditionalSyscall, situation: SeccompSituation): boolean {
  return (includes === undefined || includesHold(includes, situation)) && !excludesHold(excludes, situation);
}

function includesHold(condition: SeccompCondition, situation: SeccompSituation): boolean {
  return (
    (!condition.arches?.length || condition.arches.includes(situation.architecture)) &&
    (condition.caps ?? []).every(name => situation.capabilities.includes(name)) &&
    (condition.minKernel === undefined || isKernelAtLeast(situation.kernel, condition.minKernel))
  );
}

function excludesHold(condition: SeccompCondition | undefined, situation: SeccompSituation): boolean {
  if (condition === undefined) return false;
  return (
    (condition.arches ?? []).includes(situation.architecture) ||
    (condition.caps ?? []).some(name => situation.capabilities.includes(name)) ||
    (condition.minKernel !== undefined && isKernelAtLeast(situation.kernel, condition.minKernel))
  );
}

function isKernelAtLeast(kernel: string, least: string): boolean {
  const numbers = (text: string) => text.split(/[.-]/, 2).map(part => Number.parseInt(part, 10) || 0);
  const [major = 0, minor = 0] = numbers(kernel);
  const [leastMajor = 0, leastMinor = 0] = numbers(least);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function plainRule(rule: ConditionalSyscall): OciSyscall {
  const names = rule.names ?? (rule.name === undefined ? [] : [rule.name]);
  if (names.length === 0)
    throw new BerthError("invalid", "securityOptions: a rule of the seccomp profile has no names");
  return {
    names,
    action: rule.action,
    ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
    ...(rule.args?.length ? { args: rule.args } : {}),
  };
}
