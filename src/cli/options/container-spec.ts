import { BerthError } from "../../base/errors.ts";
import type {
  ContainerSpec,
  DeviceSpec,
  EndpointSpec,
  HealthCheck,
  Resources,
  RestartPolicy,
  ThrottleDevice,
} from "../../model/container.ts";
import type { CliContext } from "../context.ts";
import { parseDuration_ms, parseSize } from "../output/units.ts";
import { parseEnvironment, parseLabels, readEnvironmentFile, readLabelFile } from "./environment.ts";
import { parseMount, parseTmpfs, parseVolume } from "./mounts.ts";
import { parseExpose, parsePublish } from "./ports.ts";
import { parseUlimit } from "./ulimit.ts";

/** What commander makes of addContainerOptions. */
export type ContainerFlags = Record<string, string | boolean | string[] | undefined>;

const list = (flags: ContainerFlags, name: string) => (flags[name] ?? []) as string[];
const text = (flags: ContainerFlags, name: string) => flags[name] as string | undefined;
const flag = (flags: ContainerFlags, name: string) => flags[name] === true || undefined;

/** The spec that `run` or `create` asks for; throws `invalid` naming the flag. */
export function toContainerSpec(
  image: string,
  args: string[],
  flags: ContainerFlags,
  context: Pick<CliContext, "cwd" | "environment">,
): ContainerSpec {
  const entrypoint = text(flags, "entrypoint");
  return {
    name: text(flags, "name"),
    image,
    platform: text(flags, "platform"),
    command: args.length > 0 ? args : undefined,
    entrypoint: entrypoint === undefined ? undefined : entrypoint === "" ? [] : [entrypoint],
    env: [
      ...list(flags, "envFile").flatMap(path => readEnvironmentFile(path, context.cwd, context.environment)),
      ...parseEnvironment(list(flags, "env"), context.environment),
    ],
    labels: Object.assign(
      {},
      ...list(flags, "labelFile").map(path => readLabelFile(path, context.cwd)),
      parseLabels(list(flags, "label")),
    ),
    annotations: parseLabels(list(flags, "annotation")),
    workingDir: text(flags, "workdir"),
    user: text(flags, "user"),
    groups: list(flags, "groupAdd"),
    hostname: text(flags, "hostname"),
    domainname: text(flags, "domainname"),
    tty: flag(flags, "tty"),
    openStdin: flag(flags, "interactive"),
    stdinOnce: flag(flags, "interactive"),
    init: flag(flags, "init"),
    stopSignal: text(flags, "stopSignal"),
    stopTimeout_ms: seconds_ms(flags, "stopTimeout"),
    autoRemove: flag(flags, "rm"),
    restart: parseRestart(text(flags, "restart"), flag(flags, "restartOnUnhealthy")),
    log: { driver: parseLogDriver(text(flags, "logDriver")), options: parseLabels(list(flags, "logOpt")) },
    healthCheck: parseHealth(flags),
    runtime: text(flags, "runtime"),
    cgroupParent: text(flags, "cgroupParent"),
    oomScoreAdj: integer(flags, "oomScoreAdj"),
    ...storage(flags, context.cwd),
    ...networking(flags),
    ...security(flags),
    resources: parseResources(flags),
  };
}

function storage(
  flags: ContainerFlags,
  cwd: string,
): Pick<ContainerSpec, "mounts" | "volumesFrom" | "readOnlyRootfs" | "shmSize_bytes" | "storageOptions"> {
  const driver = text(flags, "volumeDriver");
  const volumes = list(flags, "volume").map(volume => ({ ...parseVolume(volume, cwd), driver }));
  const shmSize = text(flags, "shmSize");
  return {
    mounts: [
      ...volumes,
      ...list(flags, "mount").map(mount => parseMount(mount, cwd)),
      ...list(flags, "tmpfs").map(parseTmpfs),
    ],
    volumesFrom: list(flags, "volumesFrom"),
    readOnlyRootfs: flag(flags, "readOnly"),
    shmSize_bytes: shmSize === undefined ? undefined : parseSize(shmSize, "--shm-size"),
    storageOptions: parseLabels(list(flags, "storageOpt")),
  };
}

function networking(flags: ContainerFlags): Pick<ContainerSpec, "ports"> & Partial<ContainerSpec> {
  const networks = list(flags, "network");
  const mode = networks[0] ?? "";
  const isNamespace = ["", "default", "host", "none"].includes(mode) || mode.startsWith("container:");
  const endpoint: Omit<EndpointSpec, "network"> = {
    aliases: list(flags, "networkAlias"),
    ipv4: text(flags, "ip"),
    ipv6: text(flags, "ip6"),
    macAddress: text(flags, "macAddress"),
    linkLocalAddresses: list(flags, "linkLocalIp"),
  };
  if (isNamespace && networks.length > 1)
    throw new BerthError("invalid", `--network ${mode} cannot be combined with other networks`);
  return {
    ports: list(flags, "publish").flatMap(parsePublish),
    exposedPorts: list(flags, "expose").flatMap(parseExpose),
    publishAll: flag(flags, "publishAll"),
    macAddress: text(flags, "macAddress"),
    endpoints: isNamespace
      ? undefined
      : networks.map((network, index) => (index === 0 ? { network, ...endpoint } : { network })),
    dns: list(flags, "dns"),
    dnsSearch: list(flags, "dnsSearch"),
    dnsOptions: list(flags, "dnsOption"),
    extraHosts: list(flags, "addHost"),
    links: list(flags, "link"),
  };
}

function security(flags: ContainerFlags): Pick<ContainerSpec, "namespaces"> & Partial<ContainerSpec> {
  return {
    privileged: flag(flags, "privileged"),
    capAdd: list(flags, "capAdd"),
    capDrop: list(flags, "capDrop"),
    securityOptions: list(flags, "securityOpt"),
    devices: list(flags, "device").map(parseDevice),
    sysctls: parseLabels(list(flags, "sysctl")),
    ulimits: list(flags, "ulimit").map(parseUlimit),
    namespaces: {
      network: list(flags, "network")[0],
      pid: text(flags, "pid"),
      ipc: text(flags, "ipc"),
      uts: text(flags, "uts"),
      user: text(flags, "userns"),
      cgroup: text(flags, "cgroupns"),
    },
  };
}

export function parseResources(flags: ContainerFlags): Resources {
  const size = (name: string, option: string) =>
    text(flags, name) === undefined ? undefined : parseSize(text(flags, name)!, option);
  const cpus = text(flags, "cpus");
  if (cpus !== undefined && !(Number(cpus) >= 0))
    throw new BerthError("invalid", `--cpus: "${cpus}" is not a number of cores`);
  const throttle = (name: string) => list(flags, name).map(pair => parseThrottle(pair, name));
  return {
    nanoCpus: cpus === undefined ? undefined : Math.round(Number(cpus) * 1e9),
    cpuShares: integer(flags, "cpuShares"),
    cpuPeriod_us: integer(flags, "cpuPeriod"),
    cpuQuota_us: integer(flags, "cpuQuota"),
    cpuRealtimePeriod_us: integer(flags, "cpuRtPeriod"),
    cpuRealtimeRuntime_us: integer(flags, "cpuRtRuntime"),
    cpusetCpus: text(flags, "cpusetCpus"),
    cpusetMems: text(flags, "cpusetMems"),
    memory_bytes: size("memory", "--memory"),
    memoryReservation_bytes: size("memoryReservation", "--memory-reservation"),
    memorySwap_bytes: size("memorySwap", "--memory-swap"),
    memorySwappiness: integer(flags, "memorySwappiness"),
    oomKillDisable: flag(flags, "oomKillDisable"),
    pidsLimit: integer(flags, "pidsLimit"),
    blkioWeight: integer(flags, "blkioWeight"),
    blkioWeightDevices: list(flags, "blkioWeightDevice").map(pair => {
      const { path, rate } = parseThrottle(pair, "blkioWeightDevice");
      return { path, weight: rate };
    }),
    readBps: throttle("deviceReadBps"),
    writeBps: throttle("deviceWriteBps"),
    readIops: throttle("deviceReadIops"),
    writeIops: throttle("deviceWriteIops"),
    deviceCgroupRules: list(flags, "deviceCgroupRule"),
  };
}

export function parseRestart(policy: string | undefined, onUnhealthy?: boolean): RestartPolicy {
  const [name = "no", retries] = (policy || "no").split(":");
  if (
    !["no", "on-failure", "always", "unless-stopped"].includes(name) ||
    (retries !== undefined && (name !== "on-failure" || !/^\d+$/.test(retries)))
  ) {
    throw new BerthError("invalid", `--restart: "${policy}" is no restart policy`, {
      hint: "one of no, on-failure[:N], always, unless-stopped",
    });
  }
  return {
    name: name as RestartPolicy["name"],
    maximumRetries: retries === undefined ? undefined : Number(retries),
    onUnhealthy,
  };
}

function parseHealth(flags: ContainerFlags): HealthCheck | undefined {
  if (flags["healthcheck"] === false) return { test: ["NONE"] };
  const duration = (name: string, option: string) =>
    text(flags, name) === undefined ? undefined : parseDuration_ms(text(flags, name)!, option);
  const command = text(flags, "healthCmd");
  const check: HealthCheck = {
    test: command === undefined ? [] : ["CMD-SHELL", command],
    interval_ms: duration("healthInterval", "--health-interval"),
    timeout_ms: duration("healthTimeout", "--health-timeout"),
    startPeriod_ms: duration("healthStartPeriod", "--health-start-period"),
    startInterval_ms: duration("healthStartInterval", "--health-start-interval"),
    retries: integer(flags, "healthRetries"),
  };
  const given =
    command !== undefined || Object.entries(check).some(([key, value]) => key !== "test" && value !== undefined);
  return given ? check : undefined;
}

function parseLogDriver(driver: string | undefined): "" | "json-file" | "none" {
  if (driver === undefined || driver === "json-file" || driver === "none" || driver === "") return driver ?? "";
  throw new BerthError("unsupported", `--log-driver ${driver} is not supported`, {
    hint: "json-file and none are; 'berth logs -f' can feed any collector",
  });
}

function parseDevice(device: string): DeviceSpec {
  const [hostPath = "", second, third] = device.split(":");
  const isPermissions = second !== undefined && /^[rwm]+$/.test(second);
  return {
    hostPath,
    containerPath: second !== undefined && !isPermissions ? second : hostPath,
    permissions: third ?? (isPermissions ? second : "rwm"),
  };
}

function parseThrottle(pair: string, what: string): ThrottleDevice {
  const at = pair.lastIndexOf(":");
  if (at < 1)
    throw new BerthError(
      "invalid",
      `--${what.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}: "${pair}" is not PATH:VALUE`,
    );
  return { path: pair.slice(0, at), rate: parseSize(pair.slice(at + 1), pair) };
}

function integer(flags: ContainerFlags, name: string): number | undefined {
  const value = text(flags, name);
  if (value === undefined) return undefined;
  if (!/^-?\d+$/.test(value)) {
    throw new BerthError(
      "invalid",
      `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}: "${value}" is not a whole number`,
    );
  }
  return Number(value);
}

function seconds_ms(flags: ContainerFlags, name: string): number | undefined {
  const value = integer(flags, name);
  return value === undefined ? undefined : value < 0 ? -1 : value * 1000;
}
