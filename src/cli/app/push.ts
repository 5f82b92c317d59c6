import { asBerthError, BerthError, isCode } from "../../base/errors.ts";
import type { App } from "../../model/app.ts";
import type { CliContext } from "../context.ts";
import { formatError } from "../exit.ts";
import { withDisplay } from "../output/pull-progress.ts";

/** Sends the images that the app builds to the registries that their names say. A service that is built and has no `image` has nowhere to go. */
export async function pushImages(
  context: CliContext,
  app: App,
  services: string[],
  { quiet, ignoreFailures }: { quiet?: boolean; ignoreFailures?: boolean },
): Promise<void> {
  const { images } = await context.engine();
  const built = Object.values(app.services).filter(
    service => service.build && (services.length === 0 || services.includes(service.name)),
  );
  const nameless = built.find(({ image }) => image === undefined);
  if (nameless && services.includes(nameless.name))
    throw new BerthError("invalid", `service ${nameless.name} has no image to push to`, {
      hint: "give it one, e.g. image: registry.example.com/team/web",
    });
  for (const image of new Set(built.flatMap(service => service.image ?? []))) {
    try {
      await withDisplay(context, quiet, onProgress => images.push(image, { onProgress, signal: context.signal }));
    } catch (thrown) {
      if (!ignoreFailures || isCode(thrown, "cancelled")) throw thrown;
      context.stderr.write(formatError(context.program, asBerthError(thrown)));
    }
  }
}
