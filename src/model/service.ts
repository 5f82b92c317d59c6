/**
 * A service as its app file wishes it: Compose's 93 attributes, checked, in Berth's words and units. Absent means "as the image or
 * the engine has it". Shapes that a container shares come from container.ts, so that making a ContainerSpec is mostly copying.
 */
import type { DeviceSpec, HealthCheck, PortSpec, RestartPolicy, ThrottleDevice, Ulimit } from "./container.ts";
import type { Deploy, DeviceRequest } from "./deploy.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type DependencyCondition = "service_started" | "service_healthy" | "service_completed_successfully";

export interface Dependency {
  condition: DependencyCondition;
  /** Restart this service when the one that it depends on is restarted. */
  restart: boolean;
  /** False: only warn when it is missing, disabled or fails. */
  required: boolean;
}

/** A grant of a secret or config to a service or a build. */
export interface FileGrant {
  /** Key in App.secrets or App.configs. */
  source: string;
  /** Absolute path in the container; absent in a build grant: its id is `source`. */
  target: string;
  uid?: string;
  gid?: string;
  mode?: number;
}

/** A port of a service; `hostPort` absent: a free one is chosen. */
export interface ServicePort extends Omit<PortSpec, "protocol"> {
  protocol: "tcp" | "udp" | "sctp";
  name?: string;
  appProtocol?: string;
  /** ingress: the service's port on every host; host: each task's own port on its host. */
  mode: "ingress" | "host";
}

export interface ServiceMount {
  type: "bind" | "volume" | "tmpfs" | "image" | "npipe" | "cluster";
  /** bind: absolute host path; volume: key in App.volumes, absent for an anonymous one; image: its reference. */
  source?: string;
  target: string;
  readOnly?: boolean;
  consistency?: string;
  /** bind */
  propagation?: string;
  createHostPath?: boolean;
  recursive?: "enabled" | "disabled" | "writable" | "readonly";
  selinux?: "z" | "Z";
  /** volume */
  noCopy?: boolean;
  labels?: Record<string, string>;
  /** volume, image: a path inside. */
  subpath?: string;
  /** tmpfs */
  size_bytes?: number;
  mode?: number;
}

export interface ServiceNetwork {
  aliases?: string[];
  ipv4?: string;
  ipv6?: string;
  linkLocalAddresses?: string[];
  macAddress?: string;
  interfaceName?: string;
  driverOptions?: Record<string, string>;
  /** Networks are joined in falling order of priority, then by name. */
  priority?: number;
  gatewayPriority?: number;
}

/** A command run at a point of a task's life. */
export interface Hook {
  command: string[];
  user?: string;
  privileged?: boolean;
  workingDir?: string;
  environment?: Record<string, string>;
  /** pre_start only: the image of the one-off container; absent: the service's. */
  image?: string;
  /** pre_start only: run for every task (default), or once for the service. */
  perReplica?: boolean;
}

export interface BuildSpec {
  /** Absolute path, or a URL. */
  context: string;
  /** Relative to the context, or absolute. */
  dockerfile?: string;
  dockerfileInline?: string;
  args?: Record<string, string>;
  target?: string;
  labels?: Record<string, string>;
  tags?: string[];
  platforms?: string[];
  additionalContexts?: Record<string, string>;
  cacheFrom?: string[];
  cacheTo?: string[];
  noCache?: boolean;
  noCacheFilter?: string[];
  pull?: boolean;
  network?: string;
  shmSize_bytes?: number;
  extraHosts?: string[];
  isolation?: string;
  privileged?: boolean;
  entitlements?: string[];
  secrets?: FileGrant[];
  /** Id to socket or key paths, comma-separated; "" is the agent's. */
  ssh?: Record<string, string>;
  ulimits?: Ulimit[];
  provenance?: string;
  sbom?: string;
}

export interface WatchRule {
  /** Absolute host path. */
  path: string;
  action: "rebuild" | "sync" | "restart" | "sync+restart" | "sync+exec";
  /** Path in the container; required to sync. */
  target?: string;
  ignore?: string[];
  include?: string[];
  initialSync?: boolean;
  exec?: Hook;
}

/** A file that gave values to `environment`. */
export interface EnvFile {
  /** Absolute host path. */
  path: string;
  required: boolean;
  /** raw: no quotes, no interpolation. */
  format?: "raw";
}

/** x-berth.schedule: a job that starts by the clock. See schedule.ts for the expression. */
export interface Schedule {
  /** Five fields, or @hourly and the like. */
  cron: string;
  /** IANA name; default UTC. */
  timeZone: string;
  /** What happens when the last run is not over: skip this one, run both, or stop the old one. Default forbid. */
  overlap: "forbid" | "allow" | "replace";
  /** A run missed (host down) is made up for when it is at most so late. Default 0: never. */
  startingDeadline_ms: number;
  /** Finished runs kept. */
  keepSucceeded: number;
  keepFailed: number;
  suspended: boolean;
}

/** x-berth.host_hooks: run on the host, only where it allows them. */
export interface HostHook {
  command: string[];
  timeout_ms: number;
  environment: Record<string, string>;
}

export interface HostHooks {
  beforeStart: HostHook[];
  afterStop: HostHook[];
}

export interface ServiceLogging {
  driver?: string;
  options: Record<string, string>;
}

/** CPU, memory and block I/O of each task, from the legacy attributes; deploy.limits wins where both are given. */
export interface ServiceResources {
  nanoCpus?: number;
  cpuCount?: number;
  cpuPercent?: number;
  cpuShares?: number;
  cpuPeriod_us?: number;
  cpuQuota_us?: number;
  cpuRealtimePeriod_us?: number;
  cpuRealtimeRuntime_us?: number;
  cpuset?: string;
  memory_bytes?: number;
  memoryReservation_bytes?: number;
  /** Memory and swap together; -1 is unlimited. */
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

export interface PullPolicy {
  /** refresh: pull when the image is older than `refreshAfter_ms`. */
  when: "always" | "never" | "missing" | "build" | "refresh";
  refreshAfter_ms?: number;
}

/** What env_file, label_file, extends and include say is in here already; nothing in it is a path relative to a file. */
export interface Service {
  /** Key in App.services. */
  name: string;
  /** Profiles that enable it; empty: always enabled. */
  profiles: string[];
  /** Absent: named by the app and service, built by `build`. */
  image?: string;
  build?: BuildSpec;
  pullPolicy?: PullPolicy;
  platform?: string;
  /** Fixed name of the one container; such a service cannot have several tasks. */
  containerName?: string;
  /** Absent: the image's. [] clears it. */
  command?: string[];
  entrypoint?: string[];
  /** env_file and environment together, all values known. */
  environment: Record<string, string>;
  /** label_file and labels together. */
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Where environment and labels came from, besides the app file: to tell people, not to be read again. */
  envFiles: EnvFile[];
  labelFiles: string[];
  workingDir?: string;
  user?: string;
  groups?: string[];
  hostname?: string;
  domainname?: string;
  tty?: boolean;
  openStdin?: boolean;
  init?: boolean;
  /** False: `up` does not show its logs. Default true. */
  attach?: boolean;
  stopSignal?: string;
  stopGracePeriod_ms?: number;
  restart?: RestartPolicy;
  /** How many tasks; deploy.replicas says the same. */
  scale?: number;
  deploy?: Deploy;
  dependsOn: Record<string, Dependency>;
  healthCheck?: HealthCheck;
  ports: ServicePort[];
  /** "80", "8000-8010/udp": published to nobody. */
  expose: string[];
  /** By key in App.networks, in no order; empty when networkMode is set. */
  networks: Record<string, ServiceNetwork>;
  /** "host", "none", "bridge", "service:NAME", "container:NAME". */
  networkMode?: string;
  macAddress?: string;
  dns?: string[];
  dnsSearch?: string[];
  dnsOptions?: string[];
  /** "host=address"; address may be "host-gateway". */
  extraHosts?: string[];
  /** "SERVICE[:ALIAS]". */
  links?: string[];
  externalLinks?: string[];
  mounts: ServiceMount[];
  /** "/path[:options]". */
  tmpfs?: string[];
  /** "SERVICE[:ro]" or "container:NAME[:ro]". */
  volumesFrom?: string[];
  shmSize_bytes?: number;
  storageOptions?: Record<string, string>;
  readOnlyRootfs?: boolean;
  secrets: FileGrant[];
  configs: FileGrant[];
  credentialSpec?: { config?: string; file?: string; registry?: string };
  privileged?: boolean;
  capAdd?: string[];
  capDrop?: string[];
  securityOptions?: string[];
  sysctls?: Record<string, string>;
  ulimits?: Ulimit[];
  devices?: DeviceSpec[];
  gpus?: DeviceRequest[];
  oomScoreAdj?: number;
  cgroupParent?: string;
  /** "host" or "private". */
  cgroup?: string;
  /** "host", "shareable", "service:NAME", "container:NAME" … */
  ipc?: string;
  pid?: string;
  uts?: string;
  usernsMode?: string;
  isolation?: string;
  runtime?: string;
  resources: ServiceResources;
  logging?: ServiceLogging;
  preStart: Hook[];
  postStart: Hook[];
  preStop: Hook[];
  watch: WatchRule[];
  useApiSocket?: boolean;
  /** By key in App.models. Refused at `up`. */
  models?: Record<string, { endpointVariable?: string; modelVariable?: string }>;
  /** An outside program that manages this service. Refused at `up`. */
  provider?: { type: string; options: Record<string, Json> };
  schedule?: Schedule;
  hostHooks?: HostHooks;
  /** x-* as written, x-berth included. */
  extensions: Record<string, Json>;
}
