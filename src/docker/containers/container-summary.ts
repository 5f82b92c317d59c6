import { familiarName } from "../../image/reference.ts";
import type { ContainerSummary, MountPoint } from "../../model/container.ts";
import { statusText } from "./container-state.ts";
import { networksOf } from "./endpoint-settings.ts";

/** A line of GET /containers/json. */
export function summaryOf(
  summary: ContainerSummary,
  now_ms: number,
  sizes?: { rootfs_bytes: number; writable_bytes: number },
) {
  const { state } = summary;
  return {
    Id: summary.id,
    Names: [`/${summary.name}`],
    Image: summary.image,
    ImageID: summary.imageId,
    Command: summary.args.map(quoted).join(" "),
    Created: Math.floor(Date.parse(summary.createdAt) / 1000),
    Ports: portsOf(summary),
    ...(sizes ? { SizeRw: sizes.writable_bytes, SizeRootFs: sizes.rootfs_bytes } : {}),
    Labels: summary.labels,
    State: state.status,
    Status: statusText(state, now_ms),
    HostConfig: { NetworkMode: summary.networkMode },
    NetworkSettings: { Networks: networksOf(summary.endpoints) },
    Mounts: summary.mounts.map(mountOf),
  };
}

/** A shell's line, as Docker makes it. */
function quoted(argument: string): string {
  if (argument === "") return "''";
  return /[\s'"\\$`&|;<>()]/.test(argument) ? `'${argument.replaceAll("'", "'\\''")}'` : argument;
}

function portsOf({ publishedPorts, exposedPorts }: ContainerSummary) {
  const published = new Set(publishedPorts.map(port => `${port.containerPort}/${port.protocol}`));
  return [
    ...publishedPorts.map(port => ({
      IP: port.hostAddress,
      PrivatePort: port.containerPort,
      PublicPort: port.hostPort,
      Type: port.protocol,
    })),
    ...exposedPorts
      .filter(port => !published.has(port))
      .map(port => {
        const [number, type] = port.split("/");
        return { PrivatePort: Number.parseInt(number ?? "", 10), Type: type ?? "tcp" };
      }),
  ];
}

export function mountOf(mount: MountPoint) {
  const isVolume = mount.type === "volume";
  return {
    Type: mount.type,
    ...(isVolume ? { Name: mount.name } : {}),
    Source: mount.type === "image" ? familiarName(mount.source) : mount.source,
    Destination: mount.target,
    ...(isVolume ? { Driver: mount.driver } : {}),
    Mode: isVolume ? "z" : "",
    RW: !mount.readOnly,
    Propagation: mount.propagation,
  };
}
