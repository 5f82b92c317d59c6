import { BerthError } from "../../base/errors.ts";
import type { RuntimeSpecInput } from "./input.ts";

/** Namespaced ones outside net.*: ipc_namespaces(7). */
const ipcNames = new Set(
  "kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced".split(
    " ",
  ),
);

/**
 * Kernel settings of the container's own namespaces; another would change the host and is refused. As in Docker, a container with a network of its own may
 * listen on any port and ping without capabilities.
 */
export function chooseSysctls(input: RuntimeSpecInput): Record<string, string> {
  const { namespaces, spec } = input;
  const result: Record<string, string> = {};
  if (namespaces.network !== "host") {
    result["net.ipv4.ping_group_range"] = "0 2147483647";
    result["net.ipv4.ip_unprivileged_port_start"] = "0";
  }
  if (spec.domainname) {
    if (namespaces.uts === "host") {
      throw new BerthError("invalid", "domainname: cannot be set with the host's UTS namespace");
    }
    // runtime-spec 1.0 has no field for it; this is the same thing.
    result["kernel.domainname"] = spec.domainname;
  }
  for (const [name, value] of Object.entries(spec.sysctls ?? {})) {
    const owner = namespaceOf(name);
    if (owner === undefined) {
      throw new BerthError("invalid", `sysctls: ${name} belongs to the whole host, not to a container`, {
        hint: "set it on the host with sysctl(8)",
      });
    }
    if (namespaces[owner] === "host") {
      throw new BerthError("invalid", `sysctls: ${name} cannot be set with the host's ${owner} namespace`);
    }
    result[name] = value;
  }
  return result;
}

function namespaceOf(name: string): "network" | "ipc" | "uts" | undefined {
  if (name.startsWith("net.")) return "network";
  if (ipcNames.has(name) || name.startsWith("fs.mqueue.")) return "ipc";
  return name === "kernel.domainname" ? "uts" : undefined;
}
