import { BerthError } from "../base/errors.ts";
import type { App } from "../model/app.ts";
import type { AppVersion } from "../model/app-record.ts";
import type {
  ContainerSpec,
  EndpointSpec,
  MountSpec,
  NamespaceModes,
  PortSpec,
  Resources,
} from "../model/container.ts";
import { builtImageName, containerName, taskHostName } from "../model/names.ts";
import type { Service, ServiceMount } from "../model/service.ts";
import type { Task } from "../model/task.ts";
import { specHash } from "../plan/wanted.ts";
import { containerLabels } from "./labels.ts";

/** What a container is made with beyond what the app file says. */
export interface ContainerExtras {
  /** Where the host has the files of granted secrets and configs, by "secret/KEY" and "config/KEY". */
  files: ReadonlyMap<string, string>;
  /** Names of anonymous volumes of the task before it, by target. */
  inherited: ReadonlyMap<string, string>;
  /** Name of the container of task 1 of a service of this app. */
  peer: (service: string) => string;
  /** The id that the image is pinned to, where its name means another by now. */
  imageId?: string;
}

/** The service of a task as a container of the engine: all attributes that apply to one. Pure. */
export function containerSpec(task: Task, version: AppVersion, extras: ContainerExtras): ContainerSpec {
  const { app } = version;
  const service = app.services[task.service];
  if (!service) throw new BerthError("not_found", `task ${task.id}: the app has no service ${task.service}`);
  const hash = specHash(version, task.service, task.shared);
  return {
    name: service.containerName ?? containerName(task.app, task.service, task.number),
    image: extras.imageId ?? service.image ?? builtImageName(task.app, task.service),
    platform: service.platform,
    entrypoint: service.entrypoint,
    command: service.command,
    env: Object.entries(service.environment).map(([key, value]) => `${key}=${value}`),
    labels: containerLabels(task, version, hash),
    annotations: service.annotations,
    workingDir: service.workingDir,
    user: service.user,
    groups: service.groups,
    hostname: service.hostname,
    domainname: service.domainname,
    tty: service.tty,
    openStdin: service.openStdin,
    stopSignal: service.stopSignal,
    stopTimeout_ms: service.stopGracePeriod_ms,
    init: service.init,
    readOnlyRootfs: service.readOnlyRootfs,
    mounts: mountsOf(app, service, extras),
    volumesFrom: service.volumesFrom?.map(from => volumesFrom(from, extras)),
    shmSize_bytes: service.shmSize_bytes,
    ports: portsOf(app.name, service),
    exposedPorts: service.expose.map(port => (port.includes("/") ? port : `${port}/tcp`)),
    endpoints: service.networkMode === undefined ? endpointsOf(app, task, service) : undefined,
    macAddress: service.macAddress,
    dns: service.dns,
    dnsSearch: service.dnsSearch,
    dnsOptions: service.dnsOptions,
    extraHosts: service.extraHosts?.map(entry => entry.replace("=", ":")),
    links: service.externalLinks,
    namespaces: namespacesOf(service, extras),
    privileged: service.privileged,
    capAdd: service.capAdd,
    capDrop: service.capDrop,
    securityOptions: service.securityOptions,
    sysctls: service.sysctls,
    ulimits: service.ulimits,
    devices: service.devices,
    storageOptions: service.storageOptions,
    oomScoreAdj: service.oomScoreAdj,
    cgroupParent: service.cgroupParent,
    runtime: service.runtime,
    resources: resourcesOf(service),
    // Restarts are control's: it knows what the task depends on, and counts.
    restart: { name: "no" },
    log: { driver: logDriver(service), options: service.logging?.options ?? {} },
    healthCheck: service.healthCheck,
  };
}

function mountsOf(app: App, service: Service, { files, inherited }: ContainerExtras): MountSpec[] {
  const mounts = service.mounts.map(mount => mountOf(app, service, mount, inherited));
  for (const [kind, grants] of [
    ["secret", service.secrets],
    ["config", service.configs],
  ] as const) {
    for (const grant of grants) {
      const source = files.get(`${kind}/${grant.source}/${grant.target}`);
      if (source !== undefined) mounts.push({ type: "bind", source, target: grant.target, readOnly: true });
    }
  }
  for (const entry of service.tmpfs ?? []) {
    const [target, options] = splitOnce(entry, ":");
    mounts.push({ type: "tmpfs", target, options: options === "" ? [] : options.split(",") });
  }
  const taken = new Set(mounts.map(({ target }) => target));
  for (const [target, name] of inherited) if (!taken.has(target)) mounts.push({ type: "volume", source: name, target });
  return mounts;
}

function mountOf(app: App, service: Service, mount: ServiceMount, inherited: ReadonlyMap<string, string>): MountSpec {
  const { target, readOnly } = mount;
  switch (mount.type) {
    case "bind":
      return {
        type: "bind",
        source: mount.source,
        target,
        readOnly,
        createHostPath: mount.createHostPath,
        propagation: mount.propagation as MountSpec["propagation"],
        nonRecursive: mount.recursive === "disabled" ? true : undefined,
      };
    case "volume": {
      const volume = mount.source === undefined ? undefined : app.volumes[mount.source];
      return {
        type: "volume",
        source: volume?.name ?? mount.source ?? inherited.get(target) ?? "",
        target,
        readOnly,
        noCopy: mount.noCopy,
        subpath: mount.subpath,
        labels: mount.labels,
      };
    }
    case "tmpfs":
      return { type: "tmpfs", target, readOnly, size_bytes: mount.size_bytes, mode: mount.mode };
    case "image":
      return { type: "image", source: mount.source, target, readOnly, subpath: mount.subpath };
    default:
      throw new BerthError("unsupported", `service ${service.name}: a mount of type ${mount.type} at ${target}`, {
        hint: "use bind, volume, tmpfs or image",
      });
  }
}

export function portsOf(app: string, service: Service): PortSpec[] {
  return service.ports.map(port => portOf(port, `${app}/${service.name}`));
}

/** A fixed port in mode `ingress` is the service's: its tasks share it, and new connections are spread over them. */
function portOf(port: Service["ports"][number], service: string): PortSpec {
  if (port.protocol === "sctp") {
    throw new BerthError("unsupported", `publishing port ${port.containerPort}/sctp`, { hint: "publish tcp or udp" });
  }
  const { containerPort, protocol, hostAddress, hostPort, hostPortEnd } = port;
  const isShared = port.mode === "ingress" && hostPort !== undefined && hostPortEnd === undefined;
  return { containerPort, protocol, hostAddress, hostPort, hostPortEnd, ...(isShared ? { shared: service } : {}) };
}

/** In falling order of priority, then by name: the first gives the default route (Compose Specification, networks, priority). */
function endpointsOf(app: App, task: Task, service: Service): EndpointSpec[] {
  return Object.entries(service.networks)
    .sort(([a, one], [b, other]) => (other.priority ?? 0) - (one.priority ?? 0) || (a < b ? -1 : 1))
    .map(([key, joined]) => ({
      network: app.networks[key]?.name ?? key,
      aliases: [
        ...new Set([
          service.name,
          taskHostName(service.name, task.number),
          ...(joined.aliases ?? []),
          ...linkAliases(app, service.name, key),
        ]),
      ],
      ipv4: joined.ipv4,
      ipv6: joined.ipv6,
      macAddress: joined.macAddress,
      linkLocalAddresses: joined.linkLocalAddresses,
      driverOptions: joined.driverOptions,
      gatewayPriority: joined.gatewayPriority,
      portNames: portNamesOf(service),
    }));
}

function portNamesOf({ ports }: Service): Record<string, string> | undefined {
  const named = ports.flatMap(({ name, containerPort, protocol }) =>
    name === undefined ? [] : [[`${containerPort}/${protocol}`, name] as const],
  );
  return named.length === 0 ? undefined : Object.fromEntries(named);
}

/** Aliases that other services' links give to this one: within a network a name means the same to all. */
function linkAliases(app: App, name: string, network: string): string[] {
  return Object.values(app.services)
    .filter(({ networks }) => network in networks)
    .flatMap(({ links }) => links ?? [])
    .map(link => splitOnce(link, ":"))
    .filter(([target, alias]) => target === name && alias !== "")
    .map(([, alias]) => alias);
}

function namespacesOf(service: Service, { peer }: ContainerExtras): NamespaceModes {
  const of = (mode: string | undefined) =>
    mode?.startsWith("service:") ? `container:${peer(mode.slice("service:".length))}` : mode;
  return {
    network: of(service.networkMode),
    pid: of(service.pid),
    ipc: of(service.ipc),
    uts: of(service.uts),
    cgroup: service.cgroup,
    user: service.usernsMode,
  };
}

function volumesFrom(entry: string, { peer }: ContainerExtras): string {
  if (entry.startsWith("container:")) return entry.slice("container:".length);
  const [name, mode] = splitOnce(entry, ":");
  return mode === "" ? peer(name) : `${peer(name)}:${mode}`;
}

function resourcesOf(service: Service): Resources {
  const { cpuCount, cpuPercent, cpuset, ...given } = service.resources;
  const { limits, reservations } = service.deploy ?? {};
  return {
    ...given,
    cpusetCpus: cpuset,
    ...defined({
      nanoCpus: limits?.nanoCpus,
      memory_bytes: limits?.memory_bytes,
      pidsLimit: limits?.pids,
      memoryReservation_bytes: reservations?.memory_bytes,
    }),
  };
}

function logDriver(service: Service): "" | "json-file" | "none" {
  const driver = service.logging?.driver ?? "";
  if (driver === "" || driver === "json-file" || driver === "none") return driver;
  // Others ship logs elsewhere; here they are kept where 'berth logs' finds them.
  if (driver === "local") return "json-file";
  throw new BerthError("unsupported", `service ${service.name}: the log driver ${driver}`, {
    hint: "use json-file, local or none",
  });
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
