import type { ComposeDocument } from "../4-decode/document.ts";
import type { ComposeService } from "../4-decode/service.ts";

/** Writes down what a Compose file leaves unsaid: defaults, implied dependencies, the default network, real names. */
export function normalize(document: ComposeDocument, appName: string, directory: string): void {
  for (const service of Object.values(document.services ?? {})) normalizeService(service, directory);
  const services = Object.values(document.services ?? {});
  if (services.some(({ networks }) => networks && "default" in networks)) {
    document.networks = { ...document.networks, default: document.networks?.["default"] ?? {} };
  }
  for (const section of ["networks", "volumes", "secrets", "configs"] as const) {
    for (const [key, item] of Object.entries(document[section] ?? {}))
      item.name ??= item.external ? key : `${appName}_${key}`;
  }
  document.name = appName;
}

function normalizeService(service: ComposeService, directory: string): void {
  if (!service.network_mode && Object.keys(service.networks ?? {}).length === 0 && !service.provider) {
    service.networks = { default: null };
  }
  if (service.pull_policy === "if_not_present") service.pull_policy = "missing";
  if (service.build) {
    service.build.context ??= directory;
    if (!service.build.dockerfile && service.build.dockerfile_inline === undefined)
      service.build.dockerfile = "Dockerfile";
  }
  for (const device of service.devices ?? []) {
    device.target ??= device.source;
    device.permissions ??= "rwm";
  }
  for (const grant of service.secrets ?? []) grant.target ??= `/run/secrets/${grant.source}`;
  for (const grant of service.configs ?? []) grant.target ??= `/${grant.source}`;
  for (const device of service.deploy?.resources?.reservations?.devices ?? []) {
    if (device.count === undefined && !device.device_ids) device.count = -1;
  }
  for (const gpu of service.gpus ?? []) {
    gpu.capabilities ??= ["gpu"];
    if (gpu.count === undefined && !gpu.device_ids) gpu.count = -1;
  }
  addDependencies(service);
}

/** links, volumes_from and `service:` in a namespace mean that the other service is started first. */
function addDependencies(service: ComposeService): void {
  const implied = new Map<string, boolean>();
  for (const link of service.links ?? []) implied.set(link.split(":")[0]!, true);
  for (const mode of [service.network_mode, service.ipc, service.pid, service.uts, service.cgroup]) {
    if (mode?.startsWith("service:")) implied.set(mode.slice("service:".length), true);
  }
  for (const from of service.volumes_from ?? []) {
    if (!from.startsWith("container:") && !implied.has(from.split(":")[0]!)) implied.set(from.split(":")[0]!, false);
  }
  for (const [name, restart] of implied) {
    if (service.depends_on && Object.hasOwn(service.depends_on, name)) continue;
    service.depends_on = {
      ...service.depends_on,
      [name]: { condition: "service_started", ...(restart ? { restart } : {}) },
    };
  }
  for (const dependency of Object.values(service.depends_on ?? {})) dependency.required ??= true;
}
