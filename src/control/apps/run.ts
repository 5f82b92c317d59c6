import { BerthError } from "../../base/errors.ts";
import type { App } from "../../model/app.ts";
import type { AppEvent, RunOptions } from "../../ports/apps.ts";
import { candidate } from "./candidate.ts";
import { EventQueue } from "./event-queue.ts";
import { readFiles } from "./files.ts";
import { type AppImages, fetchImages, findImages } from "./images.ts";
import type { AppsParts } from "./parts.ts";
import { refuseUnfit } from "./refuse.ts";

/** Builds or pulls what the images of some services need; returns their ids. */
export async function* fetched(
  parts: AppsParts,
  app: App,
  images: AppImages,
  signal: AbortSignal | undefined,
): AsyncGenerator<AppEvent, Record<string, string>> {
  const queue = new EventQueue<AppEvent>();
  const work = fetchImages(parts, app, images, event => queue.push(event), signal).finally(() => queue.end());
  // Thrown below, where it is awaited.
  work.catch(() => undefined);
  yield* queue;
  return await work;
}

/** A container of a service for one command: everything but its start. What it depends on is the caller's to bring up. */
export async function* run(parts: AppsParts, app: App, service: string, options: RunOptions): AsyncGenerator<AppEvent> {
  const { control, oneOffs } = parts;
  if (!oneOffs) throw new BerthError("unsupported", `running ${service} once: this server has no host of its own`);
  const { clock } = control.parts;
  await refuseUnfit(app, [service], parts.engineOf(), control.parts.hostHooks ?? false);
  const files = await readFiles(app, [service], options.contents ?? {}, control.files);
  const images = await findImages(app, [service], parts.engineOf(), options, clock);
  const ids = yield* fetched(parts, app, images, options.signal);
  const inputs = { files, images: ids, user: parts.user, now_ms: clock.now_ms() };
  const { version } = candidate(control.mirror.state, app, { services: [service], noDependencies: true }, inputs);
  const stored = (kind: "secret" | "config") =>
    Object.entries(files[`${kind}s`]).map(async ([source, id]) => {
      const sent = files.contents.find(file => file.kind === kind && file.name === source);
      return { kind, source, content: sent?.content ?? (await control.files.read(id, options)) };
    });
  const { contents, signal, build, pull, ...changes } = options;
  const made = await oneOffs.make(
    { ...changes, version, service, files: await Promise.all([...stored("secret"), ...stored("config")]) },
    { signal },
  );
  yield { type: "container", ...made };
}
