import { asBerthError, isCode } from "../../base/errors.ts";
import type { App } from "../../model/app.ts";
import { builtImageName } from "../../model/names.ts";
import type { AppEvent, ImagesOptions } from "../../ports/apps.ts";
import { chosenServices } from "./candidate.ts";
import type { AppImages } from "./images.ts";
import type { AppsParts } from "./parts.ts";
import { fetched } from "./run.ts";

/** Builds or pulls images of an app and changes nothing of what runs. */
export async function* imagesOnly(
  parts: AppsParts,
  app: App,
  action: "build" | "pull",
  options: ImagesOptions,
): AsyncGenerator<AppEvent> {
  const names = chosenServices(app, { services: options.services, noDependencies: true });
  const chosen = names
    .map(name => app.services[name]!)
    .filter(service => (service.build !== undefined) === (action === "build"));
  const byReference = Map.groupBy(chosen, service => service.image ?? builtImageName(app.name, service.name));
  const adapted = adapt(app, options);
  for (const [reference, users] of byReference) {
    if (action === "pull" && options.missingOnly && (await parts.engineOf().images.find(reference))) continue;
    const need = { reference, action, cause: "it was asked for", services: users.map(({ name }) => name) };
    const images: AppImages = { needs: [need], ids: {} };
    try {
      yield* fetched(parts, adapted, images, options.signal);
      if (action === "pull") yield { type: "image", reference, action, id: "", status: "pulled" };
    } catch (thrown) {
      if (!options.ignoreFailures || isCode(thrown, "cancelled")) throw thrown;
      yield { type: "image", reference, action, id: "", status: `failed: ${asBerthError(thrown).message}` };
    }
  }
  const version = parts.control.mirror.state.apps.get(app.name)?.version ?? 0;
  yield { type: "done", app: app.name, version, outcome: "succeeded", message: "" };
}

/** The app with what the command line says of builds. */
function adapt(app: App, { noCache, pull, args }: ImagesOptions): App {
  const services = Object.entries(app.services).map(([name, service]) => {
    const { build } = service;
    if (!build) return [name, service] as const;
    const given = { noCache: noCache ?? build.noCache, pull: pull ?? build.pull, args: { ...build.args, ...args } };
    return [name, { ...service, build: { ...build, ...given } }] as const;
  });
  return { ...app, services: Object.fromEntries(services) };
}
