import type { Image } from "../../model/image.ts";
import type { BuildInput } from "../../ports/build.ts";
import { type Dockerfile, parseDockerfile } from "../dockerfile/parse.ts";
import { planBuild } from "../graph/plan.ts";
import type { PlanInput } from "../graph/stage-state.ts";
import type { BuildPlan } from "../graph/steps.ts";
import { baseImage } from "./base-images.ts";
import { Contexts } from "./contexts.ts";
import type { BuilderParts } from "./parts.ts";
import { BuildProgress } from "./progress.ts";
import type { Workspace } from "./workspace.ts";

export interface Resolved {
  file: Dockerfile;
  plan: BuildPlan;
  images: Map<string, Image>;
  contexts: Contexts;
  progress: BuildProgress;
}

function planInput(parts: BuilderParts, input: BuildInput, file: Dockerfile): PlanInput {
  const contexts = Object.entries(input.contexts ?? {}).map(
    ([name, context]) => [name, context.kind === "image" ? { image: context.reference } : {}] as const,
  );
  return {
    file,
    args: input.args ?? {},
    target: input.target,
    contexts: new Map(contexts),
    host: parts.platform,
    platform: input.platform ?? parts.platform,
    network: input.network ?? "default",
    labels: input.labels ?? {},
  };
}

/** Unpacking or fetching a context may take its time: people see it as a step. */
function readDockerfile(input: BuildInput, contexts: Contexts, progress: BuildProgress) {
  if (input.context.kind === "directory" || input.context.kind === "empty") return contexts.dockerfile();
  const vertex = { id: "context", name: "load build context", stage: "" };
  return progress.vertex(vertex, async () => ({ value: await contexts.dockerfile() }));
}

/** Reads the Dockerfile and works the graph out, fetching base images as planning asks for them, all of one round at once. */
export async function resolvePlan(
  parts: BuilderParts,
  input: BuildInput,
  space: Workspace,
  signal = input.signal ?? new AbortController().signal,
): Promise<Resolved> {
  const progress = new BuildProgress(input.onProgress, () => parts.clock.now_ms(), signal);
  const contexts = new Contexts(input, { fetcher: parts.fetcher, tempPath: space.tempPath, signal });
  const { text, name } = await readDockerfile(input, contexts, progress);
  const file = parseDockerfile(text, name);
  const images = new Map<string, Image>();
  for (;;) {
    signal.throwIfAborted();
    const configs = new Map(Array.from(images, ([reference, image]) => [reference, image.config.config ?? {}]));
    const planned = planBuild(planInput(parts, input, file), configs);
    if (planned.kind === "plan") {
      for (const { message, line } of planned.plan.warnings) progress.warn(message, line);
      return { file, plan: planned.plan, images, contexts, progress };
    }
    const found = await Promise.all(
      planned.images.map(
        async reference => [reference, await baseImage(parts, input, reference, progress, signal)] as const,
      ),
    );
    for (const [reference, image] of found) images.set(reference, image);
  }
}
