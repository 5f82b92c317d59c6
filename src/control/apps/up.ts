import { BerthError } from "../../base/errors.ts";
import type { App } from "../../model/app.ts";
import { destructiveSteps, isNothingToDo, type Plan } from "../../plan/plan.ts";
import type { AppEvent, UpOptions } from "../../ports/apps.ts";
import { keys } from "../keys.ts";
import { type Candidate, candidate, chosenServices, planOf, refuseOlder } from "./candidate.ts";
import { type AppFiles, readFiles } from "./files.ts";
import { type AppImages, findImages } from "./images.ts";
import { lockApp } from "./lock.ts";
import type { AppsParts } from "./parts.ts";
import { refuseUnfit } from "./refuse.ts";
import { fetched } from "./run.ts";

/** Everything that is known before anything is changed. */
export interface Prepared {
  next: Candidate;
  plan: Plan;
  files: AppFiles;
  images: AppImages;
}

export async function prepareUp(parts: AppsParts, app: App, options: UpOptions): Promise<Prepared> {
  const { control } = parts;
  const services = chosenServices(app, options);
  await refuseUnfit(app, services, parts.engineOf(), control.parts.hostHooks ?? false);
  const files = await readFiles(app, services, options.contents ?? {}, control.files);
  const images = await findImages(app, services, parts.engineOf(), options, control.parts.clock);
  return { files, images, ...planned(parts, app, options, files, images, images.ids) };
}

function planned(
  parts: AppsParts,
  app: App,
  options: UpOptions,
  files: AppFiles,
  images: AppImages,
  ids: Record<string, string>,
): { next: Candidate; plan: Plan } {
  const { mirror, parts: own } = parts.control;
  const inputs = { files, images: ids, user: parts.user, now_ms: own.clock.now_ms() };
  const next = candidate(mirror.state, app, options, inputs);
  refuseOlder(mirror.state, next, options);
  return { next, plan: planOf(mirror.state, next, files, images, []) };
}

export interface Accepted {
  /** Undefined: there was nothing to do. */
  version?: number;
  current: number;
  services: string[];
}

/** Plans, fetches images, and writes the next version: from then on it is the control loops'. Yields the plan and the images' progress. */
export async function* acceptUp(parts: AppsParts, app: App, options: UpOptions): AsyncGenerator<AppEvent, Accepted> {
  const { control } = parts;
  const { signal } = options;
  const lock = { who: options.who ?? parts.user, wait: options.waitForOthers, signal };
  await using _lock = await lockApp(control.parts, app.name, lock);
  const prepared = await prepareUp(parts, app, options);
  yield { type: "plan", plan: prepared.plan };
  refuseDestructive(prepared.plan, options);
  if (isNothingToDo(prepared.plan)) {
    return { current: prepared.next.before!.version, services: prepared.next.services };
  }
  const ids = yield* fetched(parts, app, prepared.images, signal);
  const images = { ids, needs: prepared.images.needs.map(need => ({ ...need, action: "keep" as const })) };
  const { next, plan } = planned(parts, app, options, prepared.files, images, ids);
  refuseDestructive(plan, options);
  if (isNothingToDo(plan)) return { current: next.before!.version, services: next.services };
  next.version.replaceVolumes = plan.steps
    .filter(({ kind, action }) => kind === "volume" && action === "replace")
    .map(({ name }) => name);
  await write(parts, next, prepared.files, signal);
  return { version: next.version.number, current: next.version.number, services: next.services };
}

/** The contents first, then version and record at once: a version never names what is not there. */
export async function write(parts: AppsParts, next: Candidate, files: AppFiles, signal?: AbortSignal): Promise<void> {
  const { control } = parts;
  for (const { content, ...file } of files.contents)
    await control.files.put({ app: next.record.name, ...file }, content, { signal });
  const key = keys.app(next.record.name);
  const versionKey = keys.version(next.record.name, next.version.number);
  const { committed, revision } = await control.parts.store.commit(
    {
      compare: [
        { key, modRevision: next.before ? control.mirror.state.revisionOf(key) : 0 },
        { key: versionKey, modRevision: 0 },
      ],
      operations: [
        { type: "put", key: versionKey, value: JSON.stringify(next.version) },
        { type: "put", key, value: JSON.stringify(next.record) },
      ],
    },
    { signal },
  );
  await control.mirror.reached(revision, signal);
  if (committed) return;
  throw new BerthError("conflict", `${next.record.name} was changed by somebody else meanwhile`, {
    hint: "plan again",
    retryable: true,
  });
}

function refuseDestructive(plan: Plan, options: UpOptions): void {
  const steps = destructiveSteps(plan);
  if (steps.length === 0 || options.allowDestructive) return;
  throw new BerthError("conflict", `this would destroy ${steps.map(({ destroys }) => destroys).join(", ")}`, {
    hint: "look at the plan, and go on with --yes",
    details: { destroys: steps.map(({ destroys }) => destroys) },
  });
}
