import type { ImageHealthCheck, ImageRunConfig } from "../../model/image.ts";
import type { Command, HealthCheckInstruction } from "../dockerfile/instruction.ts";

export const defaultShell = ["/bin/sh", "-c"];
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** `KEY=value` list as a map; order is kept. */
export function envMap(list: readonly string[] | undefined): Map<string, string> {
  return new Map(
    (list ?? []).map(item => [item.split("=", 1)[0]!, item.includes("=") ? item.slice(item.indexOf("=") + 1) : ""]),
  );
}

export function envList(map: ReadonlyMap<string, string>): string[] {
  return Array.from(map, ([name, value]) => `${name}=${value}`);
}

/** Arguments that a command runs with: shell form goes through the stage's shell. */
export function commandArgs(command: Command, shell: readonly string[]): string[] {
  return command.form === "exec" ? command.args : [...shell, command.line];
}

/** `80`, `80/udp`, `8000-8002/tcp` -> docker's keys; undefined when it is no port. */
export function exposedPorts(text: string): string[] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  if (!match) return undefined;
  const low = Number(match[1]);
  const high = Number(match[2] ?? match[1]);
  if (low < 1 || high > 65535 || high < low) return undefined;
  const protocol = (match[3] ?? "tcp").toLowerCase();
  return Array.from({ length: high - low + 1 }, (_, i) => `${low + i}/${protocol}`);
}

const signalNames =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS IOT CLD POLL".split(
    " ",
  );

/** Names with or without SIG, real-time ones (RTMIN+3), numbers 1-64. */
export function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= 64;
  const name = text.toUpperCase().replace(/^SIG/, "");
  return signalNames.includes(name) || /^RTM(IN(\+([1-9]|1[0-5]))?|AX(-([1-9]|1[0-4]))?)$/.test(name);
}

export function healthCheckConfig(check: HealthCheckInstruction): ImageHealthCheck {
  if (!check.command) return { Test: ["NONE"] };
  const { command } = check;
  return {
    Test: command.form === "exec" ? ["CMD", ...command.args] : ["CMD-SHELL", command.line],
    Interval: check.interval_ns || undefined,
    Timeout: check.timeout_ns || undefined,
    StartPeriod: check.startPeriod_ns || undefined,
    StartInterval: check.startInterval_ns || undefined,
    Retries: check.retries || undefined,
  };
}

/** Joined to the working directory before it, without `.`, `..` and doubled slashes. */
export function absolutePath(path: string, base: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${base}/${path}`).split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** A copy that a stage may change; the triggers of the base are not inherited: they run. */
export function inheritConfig(base: ImageRunConfig | undefined): ImageRunConfig {
  const { OnBuild: _, ...config } = structuredClone(base ?? {});
  return config;
}
