import { BerthError } from "../../base/errors.ts";
import type { ContainerSpec, EndpointSpec, HealthCheck, RestartPolicyName } from "../../model/container.ts";
import type { Fields } from "../http/fields.ts";
import { refuseFields } from "./refused-fields.ts";
import { toMounts } from "./to-mounts.ts";
import { portFrom, toPorts } from "./to-ports.ts";
import { toDevices, toResources, toUlimits } from "./to-resources.ts";

/** The body of POST /containers/create as a specification. Throws `invalid` and `unsupported`, naming the field. */
export function toContainerSpec(body: Fields, query: { name?: string; platform?: string }): ContainerSpec {
  const host = body.object("HostConfig");
  refuseFields(body, host);
  const disabled = body.flag("NetworkDisabled") ?? false;
  return {
    ...processOf(body),
    ...(host ? hostPart(host) : {}),
    name: query.name?.replace(/^\//, ""),
    platform: query.platform,
    image: body.text("Image") ?? "",
    labels: body.map("Labels") ?? {},
    annotations: host?.map("Annotations"),
    exposedPorts: Object.keys(body.object("ExposedPorts")?.names() ?? []).length
      ? body
          .object("ExposedPorts")!
          .names()
          .map(port => portFrom(port, "ExposedPorts") && port)
      : undefined,
    macAddress: body.text("MacAddress") || undefined,
    healthCheck: toHealthCheck(body.object("Healthcheck")),
    mounts: toMounts(body, host),
    ports: toPorts(host?.object("PortBindings")),
    endpoints: toEndpoints(body.object("NetworkingConfig")?.object("EndpointsConfig")),
    namespaces: {
      network: disabled ? "none" : networkMode(host?.text("NetworkMode")),
      pid: host?.text("PidMode"),
      ipc: host?.text("IpcMode"),
      uts: host?.text("UTSMode"),
      cgroup: host?.text("CgroupnsMode"),
      user: host?.text("UsernsMode"),
    },
    resources: host ? toResources(host) : {},
    restart: toRestart(host?.object("RestartPolicy")),
    log: toLog(host?.object("LogConfig")),
  };
}

const networkMode = (mode: string | undefined) => (mode === "default" ? "" : mode);

function processOf(body: Fields) {
  const stop_s = body.number("StopTimeout");
  return {
    entrypoint: body.texts("Entrypoint"),
    command: body.texts("Cmd"),
    env: body.texts("Env") ?? [],
    workingDir: body.text("WorkingDir") || undefined,
    user: body.text("User") || undefined,
    hostname: body.text("Hostname") || undefined,
    domainname: body.text("Domainname") || undefined,
    tty: body.flag("Tty"),
    openStdin: body.flag("OpenStdin"),
    stdinOnce: body.flag("StdinOnce"),
    stopSignal: body.text("StopSignal") || undefined,
    stopTimeout_ms: stop_s === undefined ? undefined : stop_s * 1000,
  };
}

function hostPart(host: Fields) {
  return {
    groups: host.texts("GroupAdd"),
    init: host.flag("Init"),
    readOnlyRootfs: host.flag("ReadonlyRootfs"),
    volumesFrom: host.texts("VolumesFrom"),
    shmSize_bytes: host.number("ShmSize") || undefined,
    publishAll: host.flag("PublishAllPorts"),
    dns: host.texts("Dns"),
    dnsSearch: host.texts("DnsSearch"),
    dnsOptions: host.texts("DnsOptions"),
    extraHosts: host.texts("ExtraHosts"),
    links: host.texts("Links"),
    privileged: host.flag("Privileged"),
    capAdd: host.texts("CapAdd"),
    capDrop: host.texts("CapDrop"),
    securityOptions: host.texts("SecurityOpt"),
    maskedPaths: host.texts("MaskedPaths"),
    readonlyPaths: host.texts("ReadonlyPaths"),
    sysctls: host.map("Sysctls"),
    ulimits: toUlimits(host),
    devices: toDevices(host),
    storageOptions: host.map("StorageOpt"),
    oomScoreAdj: host.number("OomScoreAdj"),
    cgroupParent: host.text("CgroupParent") || undefined,
    runtime: host.text("Runtime") || undefined,
    autoRemove: host.flag("AutoRemove"),
  };
}

const policies = ["no", "on-failure", "always", "unless-stopped"] as const;

export function toRestart(fields: Fields | undefined): ContainerSpec["restart"] {
  const given = fields?.text("Name") || "no";
  const name = policies.find((known): known is RestartPolicyName => known === given);
  if (name === undefined) {
    throw new BerthError("invalid", `restart policy ${JSON.stringify(given)} is unknown`, {
      hint: `use ${policies.join(", ")}`,
    });
  }
  return { name, maximumRetries: fields?.number("MaximumRetryCount") || undefined };
}

function toLog(fields: Fields | undefined): ContainerSpec["log"] {
  const driver = fields?.text("Type") ?? "";
  // "local" differs only in its format on disk, which nobody but the engine reads.
  if (driver === "" || driver === "json-file" || driver === "none") {
    return { driver, options: fields?.map("Config") ?? {} };
  }
  if (driver === "local") return { driver: "json-file", options: fields?.map("Config") ?? {} };
  throw new BerthError(
    "unsupported",
    `HostConfig.LogConfig.Type: the log driver ${JSON.stringify(driver)} is not served`,
    {
      hint: "use json-file, local or none",
    },
  );
}

const toMs = (nanoseconds: number | undefined) => (nanoseconds ? nanoseconds / 1e6 : undefined);

function toHealthCheck(fields: Fields | undefined): HealthCheck | undefined {
  if (fields === undefined) return undefined;
  return {
    test: fields.texts("Test") ?? [],
    interval_ms: toMs(fields.number("Interval")),
    timeout_ms: toMs(fields.number("Timeout")),
    startPeriod_ms: toMs(fields.number("StartPeriod")),
    startInterval_ms: toMs(fields.number("StartInterval")),
    retries: fields.number("Retries") || undefined,
  };
}

function toEndpoints(fields: Fields | undefined): EndpointSpec[] | undefined {
  const names = fields?.names() ?? [];
  if (fields === undefined || names.length === 0) return undefined;
  return names.map(network => ({ network, ...toEndpoint(fields.object(network)) }));
}

/** EndpointSettings, as in a container's NetworkingConfig and in POST /networks/{id}/connect. */
export function toEndpoint(fields: Fields | undefined): Omit<EndpointSpec, "network"> {
  const addresses = fields?.object("IPAMConfig");
  return {
    aliases: fields?.texts("Aliases"),
    ipv4: addresses?.text("IPv4Address") || undefined,
    ipv6: addresses?.text("IPv6Address") || undefined,
    linkLocalAddresses: addresses?.texts("LinkLocalIPs"),
    macAddress: fields?.text("MacAddress") || undefined,
    driverOptions: fields?.map("DriverOpts"),
    gatewayPriority: fields?.number("GwPriority"),
  };
}
