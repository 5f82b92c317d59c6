import type { ContainerSpec, HealthCheck, RestartPolicy } from "../../model/container.ts";
import { logLimits } from "../logs/log-options.ts";
import { checkName } from "../names.ts";
import { signalNumber } from "../signals.ts";
import { invalid } from "./invalid.ts";
import { validateMounts } from "./validate-mounts.ts";
import { validateNetworking } from "./validate-networking.ts";

/**
 * Refuses what cannot work before anything is made; each error names the field. Returns warnings: what is accepted and yet will not do what it says. What
 * concerns the runtime (limits, capabilities, devices …) is for the builder of its specification, see `rehearseSpec`.
 */
export function validateSpec(spec: ContainerSpec): string[] {
  if (spec.name) checkName(spec.name);
  if (spec.image === "") throw invalid("image", "none is given", "name the image to run");
  for (const entry of spec.env) {
    if (entry === "" || entry.startsWith("=") || entry.includes("\0")) {
      throw invalid("env", `${JSON.stringify(entry)} has no name`, "write KEY=VALUE");
    }
  }
  if (spec.workingDir && !spec.workingDir.startsWith("/")) {
    throw invalid("workingDir", `${JSON.stringify(spec.workingDir)} is not absolute`, "begin it with /");
  }
  if (spec.stopSignal) signalNumber(spec.stopSignal);
  validateHostname(spec);
  validateRestart(spec.restart, spec.autoRemove ?? false);
  validateHealthCheck(spec.healthCheck);
  logLimits(spec.log);
  validateMounts(spec.mounts);
  if (spec.shmSize_bytes !== undefined && spec.shmSize_bytes < 0) {
    throw invalid("shmSize_bytes", `${spec.shmSize_bytes} is negative`);
  }
  return validateNetworking(spec);
}

function validateHostname({ hostname, namespaces }: ContainerSpec): void {
  if (!hostname) return;
  if (hostname.length > 64 || !/^[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?$/.test(hostname)) {
    throw invalid("hostname", `${JSON.stringify(hostname)} is not a host name`, "use at most 64 of a-z 0-9 . -");
  }
  if (namespaces.uts === "host") throw invalid("hostname", "cannot be set in the host's UTS namespace");
}

export function validateRestart(policy: RestartPolicy, autoRemove: boolean): void {
  if (policy.maximumRetries !== undefined) {
    if (policy.maximumRetries < 0) throw invalid("restart", `maximum retries ${policy.maximumRetries} is negative`);
    if (policy.maximumRetries > 0 && policy.name !== "on-failure") {
      throw invalid("restart", `maximum retries go with on-failure only, not with ${policy.name}`);
    }
  }
  if (autoRemove && policy.name !== "no") {
    throw invalid("restart", `${policy.name} and removal at exit (--rm) exclude each other`, "leave out one of them");
  }
}

function validateHealthCheck(check: HealthCheck | undefined): void {
  if (check === undefined) return;
  const [kind] = check.test;
  if (kind !== undefined && !["NONE", "CMD", "CMD-SHELL"].includes(kind)) {
    throw invalid(
      "healthCheck",
      `the test begins with ${JSON.stringify(kind)}`,
      "begin it with NONE, CMD or CMD-SHELL",
    );
  }
  for (const key of ["interval_ms", "timeout_ms", "startPeriod_ms", "startInterval_ms"] as const) {
    const value = check[key];
    if (value !== undefined && value !== 0 && value < 1) throw invalid("healthCheck", `${key} is less than 1 ms`);
  }
  if ((check.retries ?? 0) < 0) throw invalid("healthCheck", `retries ${check.retries} is negative`);
}
