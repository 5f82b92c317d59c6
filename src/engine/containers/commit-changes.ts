import { BerthError } from "../../base/errors.ts";
import { parseDockerfile } from "../../build/dockerfile/parse.ts";
import { planBuild } from "../../build/graph/plan.ts";
import type { ImageRunConfig, Platform } from "../../model/image.ts";

/** Instructions that change only the configuration: what commit and import take. */
const configInstructions = new Set(
  "CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR".split(" "),
);

/** A configuration after Dockerfile instructions such as `CMD ["httpd"]` (docker commit --change). Throws `invalid`. */
export function applyChanges(config: ImageRunConfig, changes: string[], platform: Platform): ImageRunConfig {
  if (changes.length === 0) return config;
  const file = parseDockerfile(["FROM base", ...changes, ""].join("\n"), "--change");
  const [stage] = file.stages;
  const wrong = stage?.instructions.find(instruction => !configInstructions.has(instruction.kind));
  if (stage === undefined || file.stages.length > 1 || wrong) {
    throw new BerthError("invalid", `the change ${wrong?.kind ?? "FROM"} cannot be applied to a configuration`, {
      hint: `use ${[...configInstructions].join(", ")}`,
    });
  }
  const input = {
    file,
    args: {},
    contexts: new Map(),
    host: platform,
    platform,
    network: "default" as const,
    labels: {},
  };
  const planned = planBuild(input, new Map([["base", config]]));
  if (planned.kind === "missing") throw new BerthError("internal", "a change to a configuration asked for an image");
  return planned.plan.stages.at(-1)?.config ?? config;
}
