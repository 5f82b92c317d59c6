import { BerthError } from "../../base/errors.ts";
import type { Volume, VolumeSpec } from "../../model/volume.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Filters, VolumeBackend } from "../../ports/engine.ts";
import { checkPruneFilters } from "../containers/prune-containers.ts";
import type { EngineContext } from "../context.ts";
import { matchesLabelFilters } from "../filters/labels.ts";
import { userOfVolume, usersOfVolume } from "../lifecycle/volume-users.ts";

const pruneFilters = new Set(["all", "label", "label!"]);

export function localVolumes(context: EngineContext): VolumeBackend {
  const { volumes } = context;
  return {
    create: (spec, options) => create(context, spec, options),
    get: name => volumes.get(name),
    list: ({ filters = {} } = {}) => list(context, filters),
    size_bytes: name => volumes.size_bytes(name),
    users: async name => usersOfVolume(context, name),
    remove: (name, options) => remove(context, name, options),
    prune: options => prune(context, options ?? {}),
  };
}

async function create(context: EngineContext, spec: VolumeSpec, options?: CallOptions): Promise<Volume> {
  const existed = spec.name !== "" && (await context.volumes.list()).some(volume => volume.name === spec.name);
  const volume = await context.volumes.create(spec, options);
  if (!existed) context.events.append("volume", "create", volume.name, { driver: volume.driver });
  return volume;
}

async function list(context: EngineContext, filters: Filters): Promise<Volume[]> {
  const known = new Set(["name", "driver", "dangling", "label", "label!"]);
  const unknown = Object.keys(filters).find(key => !known.has(key));
  if (unknown !== undefined) {
    throw new BerthError("invalid", `volumes have no filter ${JSON.stringify(unknown)}`, {
      hint: `use one of ${[...known].join(", ")}`,
    });
  }
  const { name = [], driver = [], dangling = [] } = filters;
  const wantsDangling = dangling.includes("true") || dangling.includes("1");
  return (await context.volumes.list()).filter(volume => {
    if (name.length > 0 && !name.some(part => volume.name.includes(part))) return false;
    if (driver.length > 0 && !driver.includes(volume.driver)) return false;
    if (dangling.length > 0 && (userOfVolume(context, volume.name) === undefined) !== wantsDangling) return false;
    return matchesLabelFilters(volume.labels, filters);
  });
}

async function remove(
  context: EngineContext,
  name: string,
  options: CallOptions & { force?: boolean } = {},
): Promise<void> {
  await context.volumes.remove(name, { ...options, inUse: async volume => userOfVolume(context, volume) });
  context.events.append("volume", "destroy", name, { driver: "local" });
}

/** Anonymous ones, and with `all=true` named ones too, as Docker has it since 23.0. */
async function prune(
  context: EngineContext,
  { filters = {}, ...options }: CallOptions & { filters?: Filters },
): Promise<{ removed: string[]; reclaimed_bytes: number }> {
  checkPruneFilters(filters, pruneFilters);
  const [all] = filters["all"] ?? [];
  const pruned = await context.volumes.prune({
    ...options,
    all: all === "true" || all === "1",
    keep: volume => !matchesLabelFilters(volume.labels, filters),
    inUse: async name => userOfVolume(context, name),
  });
  for (const name of pruned.removed) context.events.append("volume", "destroy", name, { driver: "local" });
  return pruned;
}
