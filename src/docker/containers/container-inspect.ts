import type { Container, HealthCheck, PublishedPort } from "../../model/container.ts";
import type { ImageRunConfig } from "../../model/image.ts";
import { stateOf } from "./container-state.ts";
import { mountOf } from "./container-summary.ts";
import { networksOf } from "./endpoint-settings.ts";
import { hostConfigOf } from "./host-config.ts";

/** GET /containers/{id}/json. `image` is the configuration of its image, while there is one. */
export function inspectOf(
  container: Container,
  image: ImageRunConfig | undefined,
  execIds: string[],
  sizes?: { rootfs_bytes: number; writable_bytes: number },
) {
  const [path = "", ...args] = container.process.args;
  return {
    Id: container.id,
    Created: container.createdAt,
    Path: path,
    Args: args,
    State: stateOf(container.state),
    Image: container.imageId,
    ResolvConfPath: container.resolvConfPath,
    HostnamePath: container.hostnamePath,
    HostsPath: container.hostsPath,
    LogPath: container.logPath,
    Name: `/${container.name}`,
    RestartCount: container.state.restartCount,
    Driver: "overlay2",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: execIds.length > 0 ? execIds : null,
    HostConfig: hostConfigOf(container),
    GraphDriver: {
      Name: "overlay2",
      Data: { MergedDir: container.rootfsPath, UpperDir: container.upperPath },
    },
    ...(sizes ? { SizeRw: sizes.writable_bytes, SizeRootFs: sizes.rootfs_bytes } : {}),
    Mounts: container.mounts.map(mountOf),
    Config: configOf(container, image),
    NetworkSettings: networkSettingsOf(container),
  };
}

function configOf(container: Container, image: ImageRunConfig | undefined) {
  const { spec, process: run } = container;
  const entrypoint = spec.entrypoint ?? image?.Entrypoint ?? [];
  const begins = entrypoint.every((part, index) => run.args[index] === part);
  const command = begins ? run.args.slice(entrypoint.length) : run.args;
  const volumes = [
    ...Object.keys(image?.Volumes ?? {}),
    ...spec.mounts.filter(mount => mount.type === "volume" && !mount.source).map(mount => mount.target),
  ];
  return {
    Hostname: spec.hostname ?? "",
    Domainname: spec.domainname ?? "",
    User: run.user,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(container.exposedPorts.length > 0 ? { ExposedPorts: emptyObjects(container.exposedPorts) } : {}),
    Tty: spec.tty ?? false,
    OpenStdin: spec.openStdin ?? false,
    StdinOnce: spec.stdinOnce ?? false,
    Env: run.env,
    Cmd: command.length > 0 ? command : null,
    ...(container.healthCheck ? { Healthcheck: healthCheckOf(container.healthCheck) } : {}),
    Image: spec.image,
    Volumes: volumes.length > 0 ? emptyObjects(volumes) : null,
    WorkingDir: spec.workingDir ?? image?.WorkingDir ?? "",
    Entrypoint: begins && entrypoint.length > 0 ? entrypoint : null,
    OnBuild: null,
    Labels: container.labels,
    StopSignal: container.stopSignal,
    ...(spec.stopTimeout_ms === undefined ? {} : { StopTimeout: Math.round(spec.stopTimeout_ms / 1000) }),
  };
}

const emptyObjects = (names: string[]) => Object.fromEntries(names.map(name => [name, {}]));

const toNs = (duration_ms: number | undefined) => (duration_ms === undefined ? undefined : duration_ms * 1e6);

function healthCheckOf(check: HealthCheck) {
  return {
    Test: check.test,
    Interval: toNs(check.interval_ms),
    Timeout: toNs(check.timeout_ms),
    StartPeriod: toNs(check.startPeriod_ms),
    StartInterval: toNs(check.startInterval_ms),
    Retries: check.retries,
  };
}

function networkSettingsOf(container: Container) {
  const { endpoints, spec, publishedPorts } = container;
  const usual = endpoints.find(endpoint => endpoint.networkName === "bridge");
  return {
    Bridge: "",
    SandboxID: container.netnsPath ? container.id : "",
    SandboxKey: container.netnsPath,
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    Ports: portMapOf(container.state.pid > 0 ? container.exposedPorts : [], publishedPorts),
    EndpointID: usual?.endpointId ?? "",
    Gateway: usual?.gateway ?? "",
    GlobalIPv6Address: usual?.ipv6 ?? "",
    GlobalIPv6PrefixLen: usual?.ipv6PrefixLength ?? 0,
    IPAddress: usual?.ipv4 ?? "",
    IPPrefixLen: usual?.prefixLength ?? 0,
    IPv6Gateway: usual?.ipv6Gateway ?? "",
    MacAddress: usual?.macAddress ?? "",
    Networks: networksOf(endpoints, spec.endpoints),
  };
}

/** {"80/tcp": [{HostIp, HostPort}], "81/tcp": null} */
function portMapOf(exposed: string[], published: PublishedPort[]) {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const port of exposed) map[port] = null;
  for (const port of published) {
    const key = `${port.containerPort}/${port.protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: port.hostAddress, HostPort: String(port.hostPort) }];
  }
  return map;
}
