import { BerthError } from "../base/errors.ts";
import type { ContainerSpec, HealthCheck } from "../model/container.ts";
import type { ImageHealthCheck, ImageRunConfig } from "../model/image.ts";

/** What runs: the image's defaults and the user's wishes together, by Docker's rules. */
export interface ResolvedProcess {
  args: string[];
  env: string[];
  workingDir: string;
  user: string;
  labels: Record<string, string>;
  exposedPorts: string[];
  /** Targets that the image wants volumes at. */
  volumes: string[];
  stopSignal: string;
  stopTimeout_ms: number;
  healthCheck?: HealthCheck;
  /** For CMD-SHELL health checks. */
  shell?: string[];
}

const defaultStopTimeout_ms = 10_000;

export function mergeImage(spec: ContainerSpec, image: ImageRunConfig, imageName: string): ResolvedProcess {
  const args = mergeArguments(spec, image);
  if (args.length === 0) {
    throw new BerthError("invalid", `image ${imageName} names no command and none was given`, {
      hint: "give the command to run after the image",
    });
  }
  return {
    args,
    env: mergeEnvironment(spec.env, image.Env ?? []),
    workingDir: spec.workingDir || image.WorkingDir || "/",
    user: spec.user || image.User || "",
    labels: { ...image.Labels, ...spec.labels },
    exposedPorts: mergePorts(spec, image),
    volumes: Object.keys(image.Volumes ?? {}),
    stopSignal: spec.stopSignal || image.StopSignal || "SIGTERM",
    stopTimeout_ms: spec.stopTimeout_ms ?? defaultStopTimeout_ms,
    healthCheck: mergeHealthCheck(spec.healthCheck, image.Healthcheck),
    shell: image.Shell,
  };
}

/** An entrypoint of the user's drops the image's command; [""] drops both, [] only the image's entrypoint. */
function mergeArguments(spec: ContainerSpec, image: ImageRunConfig): string[] {
  const given = spec.entrypoint;
  const command = spec.command ?? [];
  const useImageCommand = command.length === 0 && (given === undefined || given.length === 0);
  const entrypoint =
    given === undefined ? (image.Entrypoint ?? []) : given.length === 1 && given[0] === "" ? [] : given;
  return [...entrypoint, ...(useImageCommand ? (image.Cmd ?? []) : command)];
}

/** The user's first, then what of the image's the user did not name; a bare KEY takes the image's away. */
function mergeEnvironment(own: string[], fromImage: string[]): string[] {
  const nameOf = (entry: string) => entry.split("=", 1)[0]!;
  const named = new Set(own.map(nameOf));
  return [...own.filter(entry => entry.includes("=")), ...fromImage.filter(entry => !named.has(nameOf(entry)))];
}

function mergePorts(spec: ContainerSpec, image: ImageRunConfig): string[] {
  const withProtocol = (port: string) => (port.includes("/") ? port : `${port}/tcp`);
  return [
    ...new Set([
      ...Object.keys(image.ExposedPorts ?? {}).map(withProtocol),
      ...(spec.exposedPorts ?? []).map(withProtocol),
      ...spec.ports.map(port => `${port.containerPort}/${port.protocol}`),
    ]),
  ];
}

/** The user's check, with what it leaves open taken from the image's. */
function mergeHealthCheck(own: HealthCheck | undefined, image: ImageHealthCheck | undefined): HealthCheck | undefined {
  const base = image?.Test?.length ? fromImage(image) : undefined;
  if (own === undefined) return base;
  if (base === undefined) return own.test.length > 0 ? own : undefined;
  const merged: HealthCheck = { ...base };
  for (const [key, value] of Object.entries(own)) {
    if (Array.isArray(value) ? value.length > 0 : Boolean(value)) Object.assign(merged, { [key]: value });
  }
  return merged;
}

function fromImage(check: ImageHealthCheck): HealthCheck {
  const ms = (nanoseconds: number | undefined) => (nanoseconds ? nanoseconds / 1e6 : undefined);
  return {
    test: check.Test ?? [],
    interval_ms: ms(check.Interval),
    timeout_ms: ms(check.Timeout),
    startPeriod_ms: ms(check.StartPeriod),
    startInterval_ms: ms(check.StartInterval),
    retries: check.Retries,
  };
}
