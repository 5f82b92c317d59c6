import type { Image } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Filters, ImageBackend } from "../../ports/engine.ts";
import { checkPruneFilters, pruneUntil_ms } from "../containers/prune-containers.ts";
import type { EngineContext } from "../context.ts";
import { matchesLabelFilters } from "../filters/labels.ts";
import { imageTest } from "./image-filters.ts";

const pruneFilters = new Set(["dangling", "until", "label", "label!"]);

/** The image service with what only the engine knows: which containers use an image, and whom to tell. */
export function localImages(context: EngineContext): ImageBackend {
  const { images } = context;
  const tell = (action: string, id: string, name = id) => context.events.append("image", action, id, { name });
  return {
    get: (reference, options) => images.get(reference, options),
    find: (reference, options) => images.find(reference, options),
    list: async ({ filters = {}, ...options } = {}) => {
      const test = await imageTest(context, filters);
      return (await images.list(options)).filter(test);
    },
    history: (reference, options) => images.history(reference, options),
    pull: async (reference, options) => {
      const image = await images.pull(reference, options);
      tell("pull", reference);
      return image;
    },
    push: async (reference, options) => {
      const pushed = await images.push(reference, options);
      tell("push", reference);
      return pushed;
    },
    resolveRemote: (reference, options) => images.resolveRemote(reference, options),
    login: (registry, auth, options) => images.login(registry, auth, options),
    tag: async (source, target, options) => {
      await images.tag(source, target, options);
      tell("tag", (await images.get(target, options)).id, target);
    },
    save: (references, options) => images.save(references, options),
    load: async (archive, options) => {
      const loaded = await images.load(archive, options);
      for (const { image, names } of loaded) tell("load", image.id, names[0]);
      return loaded;
    },
    import: async (archive, options) => {
      const image = await images.import(archive, options);
      tell("import", image.id, options.reference);
      return image;
    },
    create: (input, options) => images.create(input, options),
    bootstrap: async (reference, options) => {
      const image = await images.bootstrap(reference, options);
      tell("import", image.id, reference);
      return image;
    },
    canBootstrap: reference => images.canBootstrap(reference),
    diskUsage: options => images.diskUsage(options),
    remove: (reference, options) => remove(context, reference, options),
    prune: options => prune(context, options ?? {}),
  };
}

async function remove(context: EngineContext, reference: string, options: CallOptions & { force?: boolean } = {}) {
  const { id } = await context.images.get(reference, options);
  const removed = await context.images.remove(reference, {
    ...options,
    inUse: async imageId => userOfImage(context, imageId, options.force ?? false),
  });
  for (const { untagged, deleted } of removed) {
    context.events.append("image", deleted ? "delete" : "untag", deleted ?? id, { name: deleted ?? untagged ?? id });
  }
  return removed;
}

/** Why the image must stay: a container of it. Docker's force overrules those that do not run. */
function userOfImage(context: EngineContext, imageId: string, force: boolean): string | undefined {
  for (const id of context.store.ids()) {
    const config = context.store.tryConfig(id);
    if (config?.imageId !== imageId) continue;
    const runs = context.store.state(id).phase === "running";
    if (runs || !force) return `container ${config.name} (${runs ? "running" : "stopped"})`;
  }
  return undefined;
}

async function prune(context: EngineContext, { filters = {}, ...options }: CallOptions & { filters?: Filters }) {
  checkPruneFilters(filters, pruneFilters);
  const used = new Set(context.store.ids().map(id => context.store.tryConfig(id)?.imageId));
  const [dangling = "true"] = filters["dangling"] ?? [];
  const until_ms = pruneUntil_ms(filters, context.clock.now_ms());
  const without = "label!" in filters;
  const kept = without ? await context.images.list(options) : [];
  const excluded = new Set(kept.filter(image => !keepsLabels(image, filters)).map(image => image.id));
  const pruned = await context.images.prune({
    ...options,
    all: dangling === "false" || dangling === "0",
    until_ms: Number.isFinite(until_ms) ? until_ms : undefined,
    labels: filters["label"],
    inUse: async imageId => used.has(imageId) || excluded.has(imageId),
  });
  for (const name of pruned.untagged) context.events.append("image", "untag", name, { name });
  for (const id of pruned.deleted) context.events.append("image", "delete", id, { name: id });
  return pruned;
}

function keepsLabels(image: Image, filters: Filters): boolean {
  return matchesLabelFilters(image.config.config?.Labels ?? {}, filters);
}
