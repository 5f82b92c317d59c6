import type { Clock } from "../../base/clock.ts";
import { BerthError, isCode } from "../../base/errors.ts";
import type { App } from "../../model/app.ts";
import type { Image } from "../../model/image.ts";
import { builtImageName } from "../../model/names.ts";
import type { Service } from "../../model/service.ts";
import type { ImageNeed } from "../../plan/make-plan.ts";
import type { AppEvent, UpOptions } from "../../ports/apps.ts";
import type { BuildEvent } from "../../ports/build.ts";
import type { Engine } from "../../ports/engine.ts";
import { buildInput } from "./build-input.ts";
import type { AppsParts } from "./parts.ts";

/** The images of some services: how each will be come by, and the ids of those that are here. */
export interface AppImages {
  needs: ImageNeed[];
  /** By service. */
  ids: Record<string, string>;
}

export async function findImages(
  app: App,
  services: string[],
  engine: Engine,
  options: Pick<UpOptions, "build" | "noBuild" | "pull" | "signal">,
  clock: Clock,
): Promise<AppImages> {
  const byReference = Map.groupBy(
    services.map(name => app.services[name]!),
    service => service.image ?? builtImageName(app.name, service.name),
  );
  const found = await Promise.all(
    [...byReference].map(async ([reference, users]) => ({
      reference,
      users,
      image: await engine.images.find(reference, { signal: options.signal }),
    })),
  );
  const images: AppImages = { needs: [], ids: {} };
  for (const { reference, users, image } of found) {
    const builder = users.find(({ build }) => build !== undefined);
    const decision = decide(reference, builder ?? users[0]!, image, options, clock.now_ms());
    images.needs.push({ reference, ...decision, services: users.map(({ name }) => name) });
    if (image) for (const { name } of users) images.ids[name] = image.id;
  }
  return images;
}

function decide(
  reference: string,
  service: Service,
  image: Image | undefined,
  options: Pick<UpOptions, "build" | "noBuild" | "pull">,
  now_ms: number,
): Pick<ImageNeed, "action" | "cause"> {
  const policy = service.pullPolicy?.when;
  if (service.build) {
    if (options.build || policy === "build") {
      return { action: "build", cause: options.build ? "a build was asked for" : "pull_policy is build" };
    }
    if (image) return { action: "keep", cause: "it is here" };
    if (policy === undefined || service.image === undefined) {
      if (!options.noBuild) return { action: "build", cause: "it is not here yet" };
      throw new BerthError(
        "not_found",
        `image ${reference} of service ${service.name} is not built, and building is off`,
      );
    }
  }
  const when = options.pull ?? (policy === "build" ? "missing" : policy);
  if (when === "always") return { action: "pull", cause: "it is always pulled" };
  if (when === "refresh" && image) {
    const age_ms = now_ms - Date.parse(image.taggedAt ?? image.createdAt);
    if (age_ms > (service.pullPolicy?.refreshAfter_ms ?? 0))
      return { action: "pull", cause: "it is due for a refresh" };
  }
  if (image) return { action: "keep", cause: "it is here" };
  if (when === "never") {
    throw new BerthError(
      "not_found",
      `image ${reference} of service ${service.name} is not here, and pull_policy is never`,
      {
        hint: `pull it with 'berth pull ${reference}', or load it`,
      },
    );
  }
  return { action: "pull", cause: "it is not here" };
}

/** Builds and pulls what is needed, all pulls at once and builds one after the other; returns the ids by service. */
export async function fetchImages(
  parts: AppsParts,
  app: App,
  images: AppImages,
  emit: (event: AppEvent) => void,
  signal: AbortSignal | undefined,
): Promise<Record<string, string>> {
  const engine = parts.engineOf();
  const ids = { ...images.ids };
  const set = (need: ImageNeed, id: string) => {
    for (const name of need.services) ids[name] = id;
  };
  const pulls = images.needs.filter(({ action }) => action === "pull");
  await Promise.all(pulls.map(async need => set(need, await pull(engine, app, need, emit, signal))));
  for (const need of images.needs) if (need.action === "build") set(need, await build(parts, app, need, emit, signal));
  return ids;
}

async function pull(
  engine: Engine,
  app: App,
  need: ImageNeed,
  emit: (event: AppEvent) => void,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { reference } = need;
  const [os, architecture, variant] = app.services[need.services[0]!]?.platform?.split("/") ?? [];
  const onProgress = (progress: { id: string; status: string; current?: number; total?: number }) =>
    emit({ type: "image", reference, action: "pull", ...progress });
  const platform = os && architecture ? { os, architecture, ...(variant ? { variant } : {}) } : undefined;
  try {
    return (await engine.images.pull(reference, { signal, onProgress, platform })).id;
  } catch (thrown) {
    // With no registry within reach the host's own packages may do.
    if (!isCode(thrown, "unavailable", "timeout") || !engine.images.canBootstrap(reference)) throw thrown;
    return (await engine.images.bootstrap(reference, { signal, onProgress })).id;
  }
}

async function build(
  parts: AppsParts,
  app: App,
  need: ImageNeed,
  emit: (event: AppEvent) => void,
  signal: AbortSignal | undefined,
): Promise<string> {
  const service = need.services.map(name => app.services[name]!).find(found => found.build !== undefined)!;
  if (!parts.builder) {
    throw new BerthError("unsupported", `building image ${need.reference}: this server has no builder`, {
      hint: "build it elsewhere, and pull or load it here",
    });
  }
  const onProgress = (event: BuildEvent) => {
    const step = describe(event);
    if (step) emit({ type: "image", reference: need.reference, action: "build", ...step });
  };
  const result = await parts.builder.build({ ...(await buildInput(app, service, need.reference)), onProgress, signal });
  emit({ type: "image", reference: need.reference, action: "build", id: "", status: "built" });
  return result.imageId;
}

function describe(event: BuildEvent): { id: string; status: string; log?: string } | undefined {
  if (event.kind === "state") {
    const { id, name } = event.vertex;
    if (event.state === "done") return undefined;
    return { id, status: event.state === "started" ? name : `${event.state} ${name}` };
  }
  if (event.kind === "log") return { id: event.vertexId, status: "", log: event.data.toString() };
  if (event.kind === "warning") return { id: "", status: `warning: ${event.message}` };
  return { id: event.vertexId, status: event.status };
}
