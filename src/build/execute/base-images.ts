import { BerthError, isCode } from "../../base/errors.ts";
import { formatPlatform, platformDistance } from "../../image/platform.ts";
import { formatReference, parseReference } from "../../image/reference.ts";
import type { Image } from "../../model/image.ts";
import type { BuildInput, BuildVertex } from "../../ports/build.ts";
import type { BuilderParts } from "./parts.ts";
import type { BuildProgress } from "./progress.ts";

/** The image that a FROM names: from this host, else from its registry, else made from the host's own packages where that is possible. */
export async function baseImage(
  parts: BuilderParts,
  input: BuildInput,
  reference: string,
  progress: BuildProgress,
  signal: AbortSignal,
): Promise<Image> {
  const { images } = parts;
  const local = await images.find(reference, { signal });
  if (local && !input.pull) return checked(parts, reference, local);
  const vertex: BuildVertex = { id: `pull ${reference}`, name: `load ${reference}`, stage: "" };
  return progress.vertex(vertex, async () => {
    const onProgress = progress.transfer(vertex);
    const registry = formatReference(parseReference(reference)).split("/", 1)[0]!;
    const platform = input.platform ?? parts.platform;
    try {
      return { value: await images.pull(reference, { signal, onProgress, platform, auth: input.auth?.(registry) }) };
    } catch (thrown) {
      signal.throwIfAborted();
      if (!isCode(thrown, "not_found", "unavailable", "timeout", "unauthorized", "unsupported")) throw thrown;
      if (local) return { value: checked(parts, reference, local), cached: true };
      if (await images.canBootstrap(reference))
        return { value: await images.bootstrap(reference, { signal, onProgress }) };
      throw thrown;
    }
  });
}

function checked(parts: BuilderParts, reference: string, image: Image): Image {
  if (platformDistance(parts.platform, image.config) !== undefined) return image;
  throw new BerthError(
    "unsupported",
    `FROM ${reference}: the image here is for ${formatPlatform(image.config)}, and this host is ${formatPlatform(parts.platform)}`,
    {
      hint: "pull the image for this host's platform",
    },
  );
}
