/** What a container is asked to be, and what it is. Shapes are Berth's own; src/docker/ translates Docker's to these. */

export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

export type RestartPolicyName = "no" | "on-failure" | "always" | "unless-stopped";

export interface RestartPolicy {
  name: RestartPolicyName;
  /** For on-failure: give up after so many restarts; 0 or absent is never. */
  maximumRetries?: number;
  /** Restart also when the health check says unhealthy (Docker never does). */
  onUnhealthy?: boolean;
}

export interface HealthCheck {
  /** ["NONE"] switches the image's off; ["CMD", …] runs the arguments; ["CMD-SHELL", line] runs through the shell. */
  test: string[];
  interval_ms?: number;
  timeout_ms?: number;
  startPeriod_ms?: number;
  startInterval_ms?: number;
  retries?: number;
}

export interface HealthProbe {
  startedAt: string;
  endedAt: string;
  exitCode: number;
  /** The first 4096 bytes. */
  output: string;
}

export type HealthStatus = "none" | "starting" | "healthy" | "unhealthy";

export interface HealthState {
  status: HealthStatus;
  failingStreak: number;
  /** The last five. */
  log: HealthProbe[];
}

export type MountType = "bind" | "volume" | "tmpfs" | "image";

export type Propagation = "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave";

export interface MountSpec {
  type: MountType;
  /** bind: absolute host path; volume: its name, empty for an anonymous one; image: its reference. */
  source?: string;
  /** Absolute path in the container. */
  target: string;
  readOnly?: boolean;
  /** volume: do not copy what the image has at `target`. */
  noCopy?: boolean;
  /** volume, image: a path inside. */
  subpath?: string;
  propagation?: Propagation;
  /** bind: make the host directory where it does not exist (docker's -v does, --mount does not). */
  createHostPath?: boolean;
  nonRecursive?: boolean;
  /** volume: driver, options and labels for a volume made for this mount. */
  driver?: string;
  driverOptions?: Record<string, string>;
  labels?: Record<string, string>;
  /** tmpfs */
  size_bytes?: number;
  mode?: number;
  /** tmpfs: further mount options, as typed by the user. */
  options?: string[];
}

export type Protocol = "tcp" | "udp";

export interface PortSpec {
  containerPort: number;
  protocol: Protocol;
  /** Empty or absent: every address of the host. */
  hostAddress?: string;
  /** Absent: a free one is chosen. */
  hostPort?: number;
  /** A free one out of hostPort..hostPortEnd. */
  hostPortEnd?: number;
  /** Containers that say the same word here may publish the same host port: new connections are spread over them at random. */
  shared?: string;
}

/** A port as it is published now. */
export interface PublishedPort {
  containerPort: number;
  protocol: Protocol;
  hostAddress: string;
  hostPort: number;
  shared?: string;
}

export interface EndpointSpec {
  /** Name or id. */
  network: string;
  aliases?: string[];
  ipv4?: string;
  ipv6?: string;
  macAddress?: string;
  linkLocalAddresses?: string[];
  driverOptions?: Record<string, string>;
  gatewayPriority?: number;
  /** Names of ports for SRV records, by "80/tcp". */
  portNames?: Record<string, string>;
}

/** A container's place in a network, as given by the driver. */
export interface Endpoint {
  networkId: string;
  networkName: string;
  endpointId: string;
  aliases: string[];
  /** All names that DNS answers with this endpoint: container name, short id, aliases. */
  dnsNames: string[];
  interfaceName: string;
  macAddress: string;
  ipv4?: string;
  prefixLength?: number;
  gateway?: string;
  ipv6?: string;
  ipv6PrefixLength?: number;
  ipv6Gateway?: string;
  driverOptions?: Record<string, string>;
  /** What was asked for, so that a restart asks the same again. */
  requested: EndpointSpec;
}

export interface DeviceSpec {
  hostPath: string;
  containerPath: string;
  /** Any of r, w, m. */
  permissions: string;
}

export interface Ulimit {
  name: string;
  soft: number;
  hard: number;
}

export interface ThrottleDevice {
  path: string;
  rate: number;
}

/** Absent or 0 is no limit. */
export interface Resources {
  /** Billionths of a core. */
  nanoCpus?: number;
  cpuShares?: number;
  cpuPeriod_us?: number;
  cpuQuota_us?: number;
  cpuRealtimePeriod_us?: number;
  cpuRealtimeRuntime_us?: number;
  cpusetCpus?: string;
  cpusetMems?: string;
  memory_bytes?: number;
  memoryReservation_bytes?: number;
  /** Memory and swap together; -1 is unlimited swap. */
  memorySwap_bytes?: number;
  memorySwappiness?: number;
  oomKillDisable?: boolean;
  pidsLimit?: number;
  blkioWeight?: number;
  blkioWeightDevices?: { path: string; weight: number }[];
  readBps?: ThrottleDevice[];
  writeBps?: ThrottleDevice[];
  readIops?: ThrottleDevice[];
  writeIops?: ThrottleDevice[];
  deviceCgroupRules?: string[];
}

export interface LogConfig {
  /** "" is the host's default (json-file). */
  driver: "" | "json-file" | "none";
  /** max-size (e.g. 10m), max-file, labels, env … */
  options: Record<string, string>;
}

/**
 * Namespace modes: "" is the default for that kind, "host", "private", "none", "shareable", or "container:<name or id>".
 * For the network also the name of a network.
 */
export interface NamespaceModes {
  network?: string;
  pid?: string;
  ipc?: string;
  uts?: string;
  cgroup?: string;
  user?: string;
}

export interface ContainerSpec {
  name?: string;
  /** Reference or id as the user typed it. */
  image: string;
  platform?: string;
  /** Absent: the image's. [] or [""]: none. */
  entrypoint?: string[];
  command?: string[];
  /** KEY=VALUE; a bare KEY removes the image's. */
  env: string[];
  labels: Record<string, string>;
  annotations?: Record<string, string>;
  workingDir?: string;
  user?: string;
  groups?: string[];
  hostname?: string;
  domainname?: string;
  tty?: boolean;
  openStdin?: boolean;
  /** Close stdin when the first attached client leaves. */
  stdinOnce?: boolean;
  stopSignal?: string;
  stopTimeout_ms?: number;
  init?: boolean;
  readOnlyRootfs?: boolean;
  mounts: MountSpec[];
  /** "<name or id>[:ro|rw]": take their mounts too. */
  volumesFrom?: string[];
  shmSize_bytes?: number;
  ports: PortSpec[];
  /** Published to nobody, only recorded; `publishAll` publishes them (and the image's) on free ports. */
  exposedPorts?: string[];
  publishAll?: boolean;
  /** One for each network to join at start; absent: the one that namespaces.network says. */
  endpoints?: EndpointSpec[];
  macAddress?: string;
  dns?: string[];
  dnsSearch?: string[];
  dnsOptions?: string[];
  /** "host:address"; address may be "host-gateway". */
  extraHosts?: string[];
  /** Legacy links "container[:alias]": the name resolves in this container. */
  links?: string[];
  namespaces: NamespaceModes;
  privileged?: boolean;
  capAdd?: string[];
  capDrop?: string[];
  /** no-new-privileges, seccomp=…, apparmor=…, label=…, systempaths=unconfined */
  securityOptions?: string[];
  maskedPaths?: string[];
  readonlyPaths?: string[];
  sysctls?: Record<string, string>;
  ulimits?: Ulimit[];
  devices?: DeviceSpec[];
  storageOptions?: Record<string, string>;
  oomScoreAdj?: number;
  cgroupParent?: string;
  runtime?: string;
  resources: Resources;
  restart: RestartPolicy;
  autoRemove?: boolean;
  log: LogConfig;
  healthCheck?: HealthCheck;
}

export interface ContainerState {
  status: ContainerStatus;
  pid: number;
  exitCode: number;
  oomKilled: boolean;
  /** Why the last start failed, or what ended it oddly ("monitor lost"). */
  error: string;
  /** RFC 3339; absent when it never happened. */
  startedAt?: string;
  finishedAt?: string;
  health?: HealthState;
  restartCount: number;
  /** Stopped on purpose: unless-stopped stays down after a reboot. */
  stoppedByUser: boolean;
}

/** A mount as it was made. */
export interface MountPoint {
  type: MountType;
  /** Volume name, "" for others. */
  name: string;
  /** Host path. */
  source: string;
  target: string;
  driver: string;
  readOnly: boolean;
  propagation: Propagation | "";
}

/** A container whole, as inspect gives it. */
export interface Container {
  id: string;
  name: string;
  createdAt: string;
  /** sha256:… of the image's configuration. */
  imageId: string;
  /** The spec with image defaults not yet applied: what the user asked for. */
  spec: ContainerSpec;
  /** What is run: image and spec together. */
  process: { args: string[]; env: string[]; workingDir: string; user: string };
  /** Image and spec together, as are the four below. */
  labels: Record<string, string>;
  /** "80/tcp" */
  exposedPorts: string[];
  stopSignal: string;
  stopTimeout_ms: number;
  healthCheck?: HealthCheck;
  state: ContainerState;
  endpoints: Endpoint[];
  publishedPorts: PublishedPort[];
  mounts: MountPoint[];
  logPath: string;
  /** Paths of generated files on the host. */
  hostnamePath: string;
  hostsPath: string;
  resolvConfPath: string;
  /** Host path of the merged root while mounted, and of the writable layer. */
  rootfsPath: string;
  upperPath: string;
  netnsPath: string;
  runtime: string;
}

/** A line of `ps`; cheap to make for a thousand containers. */
export interface ContainerSummary {
  id: string;
  name: string;
  createdAt: string;
  image: string;
  imageId: string;
  args: string[];
  labels: Record<string, string>;
  state: ContainerState;
  publishedPorts: PublishedPort[];
  exposedPorts: string[];
  endpoints: Endpoint[];
  mounts: MountPoint[];
  networkMode: string;
}
