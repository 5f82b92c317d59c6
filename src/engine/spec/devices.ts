import { BerthError } from "../../base/errors.ts";
import type { DeviceSpec } from "../../model/container.ts";
import type { DeviceNode } from "../../ports/host.ts";
import type { OciDevice, OciDeviceRule } from "./oci.ts";

/** Everything is denied but: making device files (which opens none), and the devices every container has; OCI config-linux.md, "Default Devices". */
const defaultRules: OciDeviceRule[] = [
  { allow: false, access: "rwm" },
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...(
    [
      [1, 3], // null
      [1, 5], // zero
      [1, 7], // full
      [1, 8], // random
      [1, 9], // urandom
      [5, 0], // tty
      [5, 1], // console
      [5, 2], // ptmx
    ] as const
  ).map(([major, minor]): OciDeviceRule => ({ allow: true, type: "c", major, minor, access: "rwm" })),
  { allow: true, type: "c", major: 136, access: "rwm" }, // pseudo-terminals
];

/** Device files to make and what may be done with devices at all. Throws `invalid` naming the field. */
export function grantDevices(
  wanted: { devices?: DeviceSpec[]; rules?: string[]; privileged?: boolean },
  nodes: ReadonlyMap<string, DeviceNode[]>,
): { devices: OciDevice[]; rules: OciDeviceRule[] } {
  if (wanted.privileged) {
    const all = (nodes.get("/dev") ?? []).map(node => deviceFile(node, node.path));
    return { devices: all, rules: [{ allow: true, access: "rwm" }] };
  }
  const devices: OciDevice[] = [];
  const rules = [...defaultRules];
  for (const wish of wanted.devices ?? []) {
    if (!/^[rwm]{1,3}$/.test(wish.permissions)) {
      throw new BerthError("invalid", `devices: '${wish.permissions}' for ${wish.hostPath} is not made of r, w and m`);
    }
    const found = nodes.get(wish.hostPath) ?? [];
    if (found.length === 0) {
      throw new BerthError(
        "invalid",
        `devices: ${wish.hostPath} is not a device of this host, nor a directory with one`,
      );
    }
    for (const node of found) {
      // A directory is handed in whole: what is below the host's path appears below the container's.
      devices.push(deviceFile(node, (wish.containerPath || wish.hostPath) + node.path.slice(wish.hostPath.length)));
      rules.push({ allow: true, type: node.type, major: node.major, minor: node.minor, access: wish.permissions });
    }
  }
  return { devices, rules: [...rules, ...(wanted.rules ?? []).map(parseRule)] };
}

/** "c 13:* rwm", as the kernel's devices.allow (cgroup-v1/devices.rst) and docker's --device-cgroup-rule have it. */
export function parseRule(text: string): OciDeviceRule {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text);
  if (match === null) {
    throw new BerthError("invalid", `deviceCgroupRules: '${text}' is not a rule`, { hint: "e.g. 'c 13:* rwm'" });
  }
  const [, type, major, minor, access] = match;
  return {
    allow: true,
    type: type as "a" | "b" | "c",
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access: access!,
  };
}

function deviceFile(node: DeviceNode, path: string): OciDevice {
  return {
    path,
    type: node.type,
    major: node.major,
    minor: node.minor,
    fileMode: node.mode & 0o777,
    uid: node.uid,
    gid: node.gid,
  };
}
