import { BerthError } from "../../base/errors.ts";

export interface SecurityOptions {
  noNewPrivileges: boolean | undefined;
  /** Absent: the default profile. */
  seccomp: "unconfined" | { profile: string } | undefined;
  apparmor: string | undefined;
  systemPathsUnconfined: boolean;
}

/** Docker's --security-opt list: key=value, or key:value as it was long ago. Throws `invalid`, or `unsupported` for SELinux labels. */
export function parseSecurityOptions(options: string[] = []): SecurityOptions {
  const result: SecurityOptions = {
    noNewPrivileges: undefined,
    seccomp: undefined,
    apparmor: undefined,
    systemPathsUnconfined: false,
  };
  for (const option of options) {
    const [, key, value] = /^([a-z-]+)(?:[=:]([\s\S]*))?$/.exec(option) ?? [];
    switch (key) {
      case "no-new-privileges":
        result.noNewPrivileges = parseFlag(option, value);
        break;
      case "seccomp":
        result.seccomp = parseSeccomp(option, value);
        break;
      case "apparmor":
        if (!value) throw malformed(option, "apparmor=<profile>");
        result.apparmor = value;
        break;
      case "systempaths":
        if (value !== "unconfined") throw malformed(option, "systempaths=unconfined");
        result.systemPathsUnconfined = true;
        break;
      case "label":
        // "disable" is how things are here anyway.
        if (value === "disable") break;
        throw new BerthError("unsupported", `securityOptions: SELinux labels ('${option}') are not supported`);
      default:
        throw malformed(option, "no-new-privileges, seccomp=…, apparmor=…, systempaths=unconfined or label=disable");
    }
  }
  return result;
}

function parseFlag(option: string, value: string | undefined): boolean {
  if (value === undefined || value === "true") return true;
  if (value === "false") return false;
  throw malformed(option, "no-new-privileges[=true|false]");
}

function parseSeccomp(option: string, value: string | undefined): SecurityOptions["seccomp"] {
  if (value === "unconfined") return "unconfined";
  if (value === "builtin") return undefined;
  if (value?.trimStart().startsWith("{")) return { profile: value };
  throw malformed(option.slice(0, 80), "seccomp=unconfined, seccomp=builtin or seccomp=<the profile's JSON text>");
}

function malformed(option: string, expected: string): BerthError {
  return new BerthError("invalid", `securityOptions: '${option}' is not known`, { hint: `use ${expected}` });
}
