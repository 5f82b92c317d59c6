import type {
  Container,
  ContainerSpec,
  MountSpec,
  PortSpec,
  Resources,
  ThrottleDevice,
} from "../../model/container.ts";

/** What the container was asked to be, in the shape in which a client would ask it again. */
export function hostConfigOf({ spec, runtime }: Container) {
  const { namespaces, resources } = spec;
  return {
    ...mountsOf(spec),
    ContainerIDFile: "",
    LogConfig: { Type: spec.log.driver || "json-file", Config: spec.log.options },
    NetworkMode: namespaces.network || "default",
    PortBindings: bindingsOf(spec.ports),
    RestartPolicy: { Name: spec.restart.name, MaximumRetryCount: spec.restart.maximumRetries ?? 0 },
    AutoRemove: spec.autoRemove ?? false,
    VolumeDriver: "",
    VolumesFrom: listOrNull(spec.volumesFrom),
    ConsoleSize: [0, 0],
    ...(spec.annotations ? { Annotations: spec.annotations } : {}),
    CapAdd: listOrNull(spec.capAdd),
    CapDrop: listOrNull(spec.capDrop),
    CgroupnsMode: namespaces.cgroup || "private",
    Dns: spec.dns ?? [],
    DnsOptions: spec.dnsOptions ?? [],
    DnsSearch: spec.dnsSearch ?? [],
    ExtraHosts: listOrNull(spec.extraHosts),
    GroupAdd: listOrNull(spec.groups),
    IpcMode: namespaces.ipc || "private",
    Cgroup: "",
    Links: spec.links?.length ? spec.links.map(link => linkPath(link, spec.name ?? "")) : null,
    OomScoreAdj: spec.oomScoreAdj ?? 0,
    PidMode: namespaces.pid ?? "",
    Privileged: spec.privileged ?? false,
    PublishAllPorts: spec.publishAll ?? false,
    ReadonlyRootfs: spec.readOnlyRootfs ?? false,
    SecurityOpt: listOrNull(spec.securityOptions),
    ...(spec.storageOptions ? { StorageOpt: spec.storageOptions } : {}),
    UTSMode: namespaces.uts ?? "",
    UsernsMode: namespaces.user ?? "",
    ShmSize: spec.shmSize_bytes ?? 64 * 1024 * 1024,
    ...(spec.sysctls ? { Sysctls: spec.sysctls } : {}),
    Runtime: runtime,
    Isolation: "",
    ...resourcesOf(resources),
    Devices: (spec.devices ?? []).map(device => ({
      PathOnHost: device.hostPath,
      PathInContainer: device.containerPath,
      CgroupPermissions: device.permissions,
    })),
    DeviceRequests: null,
    Ulimits: (spec.ulimits ?? []).map(limit => ({ Name: limit.name, Hard: limit.hard, Soft: limit.soft })),
    CgroupParent: spec.cgroupParent ?? "",
    MaskedPaths: spec.maskedPaths ?? null,
    ReadonlyPaths: spec.readonlyPaths ?? null,
    ...(spec.init === undefined ? {} : { Init: spec.init }),
  };
}

const listOrNull = (list: string[] | undefined) => (list?.length ? list : null);

/** "db:alias" as "/db:/web/alias". */
function linkPath(link: string, name: string): string {
  const [target = "", alias = target] = link.split(":");
  return `/${target}:/${name}/${alias}`;
}

function resourcesOf(resources: Resources) {
  return {
    CpuShares: resources.cpuShares ?? 0,
    Memory: resources.memory_bytes ?? 0,
    NanoCpus: resources.nanoCpus ?? 0,
    BlkioWeight: resources.blkioWeight ?? 0,
    BlkioWeightDevice: (resources.blkioWeightDevices ?? []).map(({ path, weight }) => ({ Path: path, Weight: weight })),
    BlkioDeviceReadBps: throttles(resources.readBps),
    BlkioDeviceWriteBps: throttles(resources.writeBps),
    BlkioDeviceReadIOps: throttles(resources.readIops),
    BlkioDeviceWriteIOps: throttles(resources.writeIops),
    CpuPeriod: resources.cpuPeriod_us ?? 0,
    CpuQuota: resources.cpuQuota_us ?? 0,
    CpuRealtimePeriod: resources.cpuRealtimePeriod_us ?? 0,
    CpuRealtimeRuntime: resources.cpuRealtimeRuntime_us ?? 0,
    CpusetCpus: resources.cpusetCpus ?? "",
    CpusetMems: resources.cpusetMems ?? "",
    DeviceCgroupRules: listOrNull(resources.deviceCgroupRules),
    MemoryReservation: resources.memoryReservation_bytes ?? 0,
    MemorySwap: resources.memorySwap_bytes ?? 0,
    MemorySwappiness: resources.memorySwappiness ?? null,
    OomKillDisable: resources.oomKillDisable ?? null,
    PidsLimit: resources.pidsLimit ?? null,
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
  };
}

function throttles(list: ThrottleDevice[] | undefined) {
  return list?.length ? list.map(({ path, rate }) => ({ Path: path, Rate: rate })) : null;
}

function bindingsOf(ports: PortSpec[]) {
  const map: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    const range = port.hostPortEnd ? `-${port.hostPortEnd}` : "";
    (map[`${port.containerPort}/${port.protocol}`] ??= []).push({
      HostIp: port.hostAddress ?? "",
      HostPort: port.hostPort ? `${port.hostPort}${range}` : "",
    });
  }
  return map;
}

/** Split again into Docker's three lists, each mount into the plainest that can say it. */
function mountsOf({ mounts }: ContainerSpec) {
  const isBind = (mount: MountSpec) =>
    mount.type === "bind" ? mount.createHostPath : mount.type === "volume" && mount.source && !isElaborate(mount);
  const isTmpfs = (mount: MountSpec) =>
    mount.type === "tmpfs" && mount.size_bytes === undefined && mount.mode === undefined;
  const binds = mounts.filter(isBind).map(bindText);
  const tmpfs = mounts.filter(isTmpfs).map(mount => [mount.target, (mount.options ?? []).join(",")]);
  const rest = mounts.filter(
    mount => !isBind(mount) && !isTmpfs(mount) && !(mount.type === "volume" && !mount.source && !isElaborate(mount)),
  );
  return {
    Binds: binds.length > 0 ? binds : null,
    ...(tmpfs.length > 0 ? { Tmpfs: Object.fromEntries(tmpfs) } : {}),
    ...(rest.length > 0 ? { Mounts: rest.map(mountObject) } : {}),
  };
}

function isElaborate({ driver, driverOptions, labels, subpath }: MountSpec): boolean {
  return Boolean(driver || driverOptions || labels || subpath);
}

function bindText(mount: MountSpec): string {
  const options = [mount.readOnly ? "ro" : "rw", ...(mount.noCopy ? ["nocopy"] : []), mount.propagation ?? ""];
  return `${mount.source}:${mount.target}:${options.filter(Boolean).join(",")}`;
}

function mountObject(mount: MountSpec) {
  const { propagation, nonRecursive, noCopy, labels, subpath, driver, driverOptions } = mount;
  return {
    Type: mount.type,
    ...(mount.source ? { Source: mount.source } : {}),
    Target: mount.target,
    ...(mount.readOnly ? { ReadOnly: true } : {}),
    ...(mount.type === "bind" && (propagation || nonRecursive)
      ? { BindOptions: { Propagation: propagation, NonRecursive: nonRecursive } }
      : {}),
    ...(mount.type === "volume" && (noCopy || isElaborate(mount))
      ? {
          VolumeOptions: {
            NoCopy: noCopy,
            Labels: labels,
            Subpath: subpath,
            ...(driver || driverOptions ? { DriverConfig: { Name: driver, Options: driverOptions } } : {}),
          },
        }
      : {}),
    ...(mount.type === "tmpfs" ? { TmpfsOptions: { SizeBytes: mount.size_bytes, Mode: mount.mode } } : {}),
    ...(mount.type === "image" && subpath ? { ImageOptions: { Subpath: subpath } } : {}),
  };
}
