import { type BerthError, isCode } from "../base/errors.ts";
import type { CliContext, CliEngine } from "./context.ts";
import { TransferDisplay } from "./output/pull-progress.ts";

export interface FetchOptions {
  pull: "always" | "missing" | "never";
  quiet?: boolean;
  platform?: string;
}

/** Runs `use`; where it fails for want of the image, fetches that and tries once more. So the usual case costs no look-up. */
export async function withImage<T>(
  context: CliContext,
  engine: CliEngine,
  image: string,
  options: FetchOptions,
  use: () => Promise<T>,
): Promise<T> {
  if (options.pull === "always") await fetchImage(context, engine, image, options);
  try {
    return await use();
  } catch (thrown) {
    const missing =
      isCode(thrown, "not_found") &&
      (thrown as BerthError).details?.["kind"] !== "network" &&
      (await engine.images.find(image)) === undefined;
    if (!missing || options.pull !== "missing") throw thrown;
    await fetchImage(context, engine, image, options);
    return await use();
  }
}

/** Pulls; where no registry answers and Debian's packages can make the image, makes it. */
export async function fetchImage(
  context: CliContext,
  engine: CliEngine,
  image: string,
  options: Omit<FetchOptions, "pull">,
): Promise<void> {
  const display = new TransferDisplay(context);
  const onProgress = options.quiet ? undefined : display.show;
  if (!options.quiet) context.stderr.write(`Unable to find image '${image}' locally\n`);
  try {
    const [os = "linux", architecture = "", variant] = options.platform?.split("/") ?? [];
    const platform = options.platform === undefined ? undefined : { os, architecture, variant };
    await engine.images.pull(image, { signal: context.signal, onProgress, platform });
  } catch (thrown) {
    const unreachable = isCode(thrown, "unavailable", "timeout");
    if (!unreachable || !(await engine.images.canBootstrap(image))) throw thrown;
    if (!options.quiet) context.stderr.write(`No registry answers; making ${image} from Debian's packages\n`);
    await engine.images.bootstrap(image, { signal: context.signal, onProgress });
  } finally {
    display.end();
  }
}
