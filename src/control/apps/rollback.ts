import { BerthError } from "../../base/errors.ts";
import type { App } from "../../model/app.ts";
import type { AppVersion } from "../../model/app-record.ts";
import { builtImageName } from "../../model/names.ts";
import { destructiveSteps, type Plan } from "../../plan/plan.ts";
import type { Engine } from "../../ports/engine.ts";
import { candidate, planOf } from "./candidate.ts";
import { recordOf } from "./change.ts";
import type { AppFiles } from "./files.ts";
import { lockApp } from "./lock.ts";
import type { AppsParts } from "./parts.ts";
import { write } from "./up.ts";

/** Writes an earlier version once more, as the newest: same services, images, secrets and configs. */
export async function rollbackTo(
  parts: AppsParts,
  name: string,
  number: number,
  options: { who?: string; message?: string; allowDestructive?: boolean; signal?: AbortSignal },
): Promise<Plan> {
  const { control } = parts;
  await using _lock = await lockApp(control.parts, name, { who: options.who ?? parts.user, signal: options.signal });
  const { state } = control.mirror;
  const record = recordOf(control, name);
  const target = state.version(name, number);
  if (!target || number >= record.version) {
    const kept = state
      .history(name)
      .map(version => version.number)
      .filter(kept => kept < record.version);
    throw new BerthError("not_found", `${name} has no earlier version ${number}`, {
      hint: kept.length === 0 ? "there is no earlier version at all" : `go back to one of ${kept.join(", ")}`,
    });
  }
  await refuseMissingImages(target, parts.engineOf());
  const files: AppFiles = { secrets: target.secrets, configs: target.configs, contents: [] };
  const message = options.message ?? `rollback to version ${number}`;
  const inputs = { files, images: target.images, user: parts.user, now_ms: control.parts.clock.now_ms() };
  const next = candidate(state, target.app, { who: options.who, message, force: true }, inputs);
  next.version.rollbackTo = number;
  const plan = planOf(state, next, files, { needs: [], ids: target.images }, []);
  const lost = destructiveSteps(plan);
  if (lost.length > 0 && !options.allowDestructive) {
    throw new BerthError(
      "conflict",
      `going back to version ${number} would destroy ${lost.map(step => step.destroys).join(", ")}`,
      {
        hint: "go on with --yes",
      },
    );
  }
  next.version.replaceVolumes = lost.filter(({ kind }) => kind === "volume").map(step => step.name);
  await write(parts, next, files, options.signal);
  return plan;
}

/** An image that was removed since cannot be had again by its id where it was built here. */
async function refuseMissingImages({ app, images }: AppVersion, engine: Engine): Promise<void> {
  for (const [service, id] of Object.entries(images)) {
    if (await engine.images.find(id)) continue;
    throw new BerthError(
      "not_found",
      `the image of ${service} in that version (${imageName(app, service)}, ${id.slice(7, 19)}) is not here any more`,
      {
        hint: "build or pull it, and bring the app up from its file as it was then",
      },
    );
  }
}

function imageName(app: App, service: string): string {
  return app.services[service]?.image ?? builtImageName(app.name, service);
}
