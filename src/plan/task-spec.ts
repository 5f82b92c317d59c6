import type { AppVersion } from "../model/app-record.ts";
import type { Service } from "../model/service.ts";

/** Attributes that say how many tasks there are and how they are handled, not what a container is made from. */
const notInContainer = [
  "attach",
  "build",
  "dependsOn",
  "deploy",
  "envFiles",
  "hostHooks",
  "labelFiles",
  "profiles",
  "pullPolicy",
  "restart",
  "scale",
  "schedule",
  "watch",
] as const;

/**
 * Everything that a task's container is made from, as one value: two versions of a service with equal values share containers. Fields are named as in the
 * app file's model, so that differences read well.
 */
export function taskSpec(version: AppVersion, name: string): Record<string, unknown> {
  const { app } = version;
  const service = app.services[name];
  if (!service) return {};
  const spec: Record<string, unknown> = { ...service };
  for (const attribute of notInContainer) delete spec[attribute];
  spec["extensions"] = undefined;
  spec["networks"] = Object.fromEntries(
    Object.entries(service.networks).map(([key, joined]) => [
      key,
      { ...joined, network: withoutExtensions(app.networks[key]) },
    ]),
  );
  const volumes = Object.fromEntries(usedVolumes(service).map(key => [key, withoutExtensions(app.volumes[key])]));
  if (Object.keys(volumes).length > 0) spec["volumes"] = volumes;
  spec["secrets"] = service.secrets.map(grant => ({ ...grant, content: version.secrets[grant.source] }));
  spec["configs"] = service.configs.map(grant => ({ ...grant, content: version.configs[grant.source] }));
  spec["limits"] = service.deploy?.limits;
  spec["reservations"] = service.deploy?.reservations;
  spec["imageId"] = version.images[name];
  return spec;
}

/** Keys in App.volumes. */
export function usedVolumes(service: Service): string[] {
  const keys = service.mounts.filter(mount => mount.type === "volume" && mount.source).map(mount => mount.source!);
  return [...new Set(keys)].sort();
}

function withoutExtensions<T extends { extensions: unknown }>(value: T | undefined): object {
  return { ...value, extensions: undefined };
}

/** Fields of a task spec whose values are not to be shown: contents by their keyed hash say nothing to people. */
export function isHiddenField(path: string): boolean {
  return /^(secrets|configs)\[\d+\]\.content$/.test(path);
}
