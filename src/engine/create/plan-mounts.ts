import { posix } from "node:path";
import type { MountPoint, MountSpec } from "../../model/container.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { invalid } from "./invalid.ts";

export interface PlannedMounts {
  /** The user's, the image's volumes and those of other containers, as mount specs. */
  specs: MountSpec[];
  points: MountPoint[];
  /** Made here, and to be removed if creation fails. */
  madeVolumes: string[];
  anonymousVolumes: string[];
  /** Writes down the names of volumes that are about to be made for this container alone. */
  note: (anonymousVolumes: string[]) => void;
}

const anonymousLabel = "com.docker.volume.anonymous";

/** All mounts of a new container; volumes that are not there are made. Own mounts win over those of other containers, these over the image's volumes. */
export async function planMounts(
  context: EngineContext,
  mounts: MountSpec[],
  volumesFrom: string[],
  imageVolumes: string[],
  options: CallOptions & { note: PlannedMounts["note"] },
): Promise<PlannedMounts> {
  const specs = new Map<string, MountSpec>();
  const tidy = (target: string) => posix.normalize(target).replace(/(.)\/$/, "$1");
  for (const target of imageVolumes) specs.set(tidy(target), { type: "volume", target: tidy(target) });
  for (const spec of volumesFrom.flatMap(entry => mountsOf(context, entry))) specs.set(spec.target, spec);
  for (const spec of mounts) specs.set(tidy(spec.target), { ...spec, target: tidy(spec.target) });
  const planned: PlannedMounts = {
    specs: [...specs.values()],
    points: [],
    madeVolumes: [],
    anonymousVolumes: [],
    note: options.note,
  };
  // A parent is mounted before what lies in it.
  planned.specs.sort((a, b) => a.target.split("/").length - b.target.split("/").length);
  try {
    for (const spec of planned.specs) planned.points.push(await mountPoint(context, spec, planned, options));
  } catch (thrown) {
    await dropVolumes(context, planned.madeVolumes);
    throw thrown;
  }
  return planned;
}

/** For a creation that failed. */
export async function dropVolumes(context: EngineContext, names: string[]): Promise<void> {
  for (const name of names) await context.volumes.remove(name, { force: true, inUse: async () => undefined });
}

async function mountPoint(
  context: EngineContext,
  spec: MountSpec,
  planned: PlannedMounts,
  options: CallOptions,
): Promise<MountPoint> {
  const { target } = spec;
  const common = { target, readOnly: spec.readOnly ?? false, driver: "", name: "" };
  switch (spec.type) {
    case "bind":
      return { ...common, type: "bind", source: spec.source ?? "", propagation: spec.propagation ?? "rprivate" };
    case "tmpfs":
      return { ...common, type: "tmpfs", source: "", propagation: "" };
    case "image": {
      const image = await context.images.get(spec.source ?? "", options);
      return { ...common, type: "image", name: image.id, source: spec.source ?? "", readOnly: true, propagation: "" };
    }
    case "volume": {
      const volume = await volumeFor(context, spec, planned, options);
      const place = { name: volume.name, source: volume.mountpoint, driver: volume.driver };
      return { ...common, ...place, type: "volume", propagation: "" };
    }
  }
}

async function volumeFor(context: EngineContext, spec: MountSpec, planned: PlannedMounts, options: CallOptions) {
  const anonymous = !spec.source;
  const wanted = {
    name: spec.source || context.newId(),
    driver: spec.driver || "local",
    options: spec.driverOptions ?? {},
    labels: anonymous ? { [anonymousLabel]: "", ...spec.labels } : (spec.labels ?? {}),
  };
  // Noted before it is made: a volume of a creator that is killed now would belong to nobody.
  if (anonymous) {
    planned.anonymousVolumes.push(wanted.name);
    planned.note(planned.anonymousVolumes);
  }
  const found = !anonymous ? (await context.volumes.list()).find(volume => volume.name === wanted.name) : undefined;
  // Driver and options are for making a volume; one that is there is taken as it is, unless they are named and differ.
  if (found && !spec.driver && !spec.driverOptions) return found;
  const volume = await context.volumes.create(wanted, options);
  if (!found) {
    planned.madeVolumes.push(volume.name);
    context.events.append("volume", "create", volume.name, { driver: volume.driver });
  }
  return volume;
}

/** "<name or id>[:ro|rw]" */
function mountsOf(context: EngineContext, entry: string): MountSpec[] {
  const match = /^(.+?)(?::(ro|rw|z|Z))?$/.exec(entry);
  const reference = match?.[1] ?? "";
  const mode = match?.[2];
  if (reference.includes(":"))
    throw invalid("volumesFrom", `${JSON.stringify(entry)} has an unknown mode`, "use ro or rw");
  const config = context.store.config(context.store.find(reference));
  const shared = config.mounts.filter(point => point.type === "bind" || point.type === "volume");
  return shared.map(point => {
    const spec = config.spec.mounts.find(mount => mount.target === point.target);
    return {
      ...spec,
      type: point.type,
      target: point.target,
      source: point.type === "volume" ? point.name : point.source,
      driver: undefined,
      driverOptions: undefined,
      readOnly: mode === "ro" || point.readOnly,
      noCopy: true,
    };
  });
}
