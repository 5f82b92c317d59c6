import { BerthError } from "../../base/errors.ts";
import type { Fields } from "../http/fields.ts";

/** Fields of HostConfig that would change what is run, and that Berth does not do: field -> what to do instead. */
const refusedHostFields: Record<string, string> = {
  DeviceRequests: "give the devices themselves in Devices",
  KernelMemory: "kernels have dropped this limit: set Memory",
  KernelMemoryTCP: "set Memory",
  CpuCount: "it is for Windows containers: set NanoCpus",
  CpuPercent: "it is for Windows containers: set NanoCpus",
  IOMaximumIOps: "it is for Windows containers: set BlkioDeviceReadIOps",
  IOMaximumBandwidth: "it is for Windows containers: set BlkioDeviceReadBps",
  Cgroup: "set CgroupnsMode",
};

/** Refused by name, so that nobody believes to have what is not there. */
export function refuseFields(body: Fields, host: Fields | undefined): void {
  for (const [name, hint] of Object.entries(refusedHostFields)) {
    if (host?.asksFor(name)) throw refused(host.path(name), hint);
  }
  const isolation = host?.text("Isolation");
  if (isolation && isolation !== "default") throw refused("HostConfig.Isolation", "it is for Windows containers");
  const driver = host?.text("VolumeDriver");
  if (driver && driver !== "local") throw refused("HostConfig.VolumeDriver", "create the volume first");
  if (body.asksFor("Shell")) throw refused("Shell", "write the shell into Cmd or Healthcheck.Test");
}

function refused(field: string, hint: string): BerthError {
  return new BerthError("unsupported", `${field} is not served`, { hint });
}
