import { BerthError, isCode } from "../base/errors.ts";
import type { App } from "../model/app.ts";
import type { AppVersion } from "../model/app-record.ts";
import type { Container, MountPoint } from "../model/container.ts";
import { builtImageName, containerName } from "../model/names.ts";
import type { Service } from "../model/service.ts";
import type { Task } from "../model/task.ts";
import { sharedWith } from "../plan/dependencies.ts";
import { usedVolumes } from "../plan/task-spec.ts";
import { containerSpec } from "./container-spec.ts";
import type { AgentContext } from "./context.ts";
import { hasGrants } from "./file-delivery.ts";
import { appLabel, serviceLabel, slotLabel, taskLabel } from "./labels.ts";

/** What a task is made from. Throws `not_found` where its version was collected. */
export function definitionOf(context: AgentContext, task: Task): { version: AppVersion; service: Service } {
  const version = context.version(task);
  const service = version?.app.services[task.service];
  if (!version || !service) {
    throw new BerthError("not_found", `task ${task.id}: version ${task.version} of ${task.app} is not known`);
  }
  return { version, service };
}

/** It joins namespaces or takes mounts of another service: its container is made only when that one runs. */
export function isMadeLate(service: Service): boolean {
  return sharedWith(service).length > 0;
}

/** Image, networks and volumes. */
export async function prepareResources(
  context: AgentContext,
  task: Task,
  signal: AbortSignal,
  say: (message: string) => void,
): Promise<void> {
  const { version, service } = definitionOf(context, task);
  await ensureImage(context, task, service, signal, say);
  for (const [kind, name] of resourcesOf(version.app, service)) {
    if (kind === "network") await context.resources.network(name, signal);
    else await context.resources.volume(name, signal);
  }
}

function resourcesOf(app: App, service: Service): ["network" | "volume", string][] {
  const networks = Object.keys(service.networks).map(key => app.networks[key]);
  const volumes = usedVolumes(service).map(key => app.volumes[key]);
  return [
    ...networks.flatMap(found => (found && !found.external ? [["network" as const, found.name] as const] : [])),
    ...volumes.flatMap(found => (found && !found.external ? [["volume" as const, found.name] as const] : [])),
  ].map(([kind, name]) => [kind, name]);
}

async function ensureImage(
  { engine }: AgentContext,
  task: Task,
  service: Service,
  signal: AbortSignal,
  say: (message: string) => void,
): Promise<void> {
  const reference = service.image ?? builtImageName(task.app, task.service);
  if (await engine.images.find(task.imageId ?? reference, { signal })) return;
  if (service.build && service.image === undefined) {
    throw new BerthError("not_found", `image ${reference} of service ${task.service} is not here any more`, {
      hint: "build it again with 'berth up --build'",
    });
  }
  if (service.pullPolicy?.when === "never") {
    throw new BerthError("not_found", `image ${reference} is not here, and pull_policy is never`);
  }
  say(`pulling ${reference}`);
  await engine.images.pull(reference, { signal, platform: platformOf(service) });
}

function platformOf(service: Service) {
  const [os, architecture, variant] = service.platform?.split("/") ?? [];
  return os && architecture ? { os, architecture, ...(variant ? { variant } : {}) } : undefined;
}

/** The container of the task: found again after a crash, or made. Nothing is made twice: the name is taken by then, and the label says whose it is. */
export async function ensureContainer(
  context: AgentContext,
  task: Task,
  inherited: Record<string, string>,
  signal: AbortSignal,
): Promise<Container> {
  const { engine, files } = context;
  const { version, service } = definitionOf(context, task);
  if (hasGrants(service)) files.write(task.id, service, await context.link.files(context.host, task.id, { signal }));
  const spec = containerSpec(task, version, {
    files: files.paths(task.id, service),
    inherited: new Map(Object.entries(inherited)),
    peer: name => version.app.services[name]?.containerName ?? containerName(task.app, name, 1),
    imageId: await pinnedImage(context, task, service),
  });
  const name = spec.name!;
  for (const attempt of [name, `${name}-${task.id.slice(0, 8)}`]) {
    try {
      const { id } = await engine.containers.create({ ...spec, name: attempt }, { signal });
      return await engine.containers.inspect(id, { signal });
    } catch (thrown) {
      if (!isCode(thrown, "already_exists")) throw thrown;
    }
    const holder = await inspectIfThere(context, attempt);
    if (holder?.spec.labels[taskLabel] === task.id) return holder;
    if (holder && !isOfSlot(holder, task)) throw nameTaken(attempt, holder);
    if (holder && !context.isKnown(holder)) {
      // Of a task that a restored store has forgotten: the slot is this task's now.
      await engine.containers.remove(holder.id, { force: true });
      return ensureContainer(context, task, inherited, signal);
    }
  }
  throw new BerthError("conflict", `making container ${name}: its name and its spare name are both taken`);
}

function isOfSlot({ spec }: Container, task: Task): boolean {
  return (
    spec.labels[appLabel] === task.app &&
    spec.labels[serviceLabel] === task.service &&
    spec.labels[slotLabel] === task.slot
  );
}

function nameTaken(name: string, holder: Container): BerthError {
  return new BerthError(
    "already_exists",
    `making container ${name}: container ${holder.id.slice(0, 12)} has that name and is no task of this service`,
    {
      hint: `remove it with 'berth rm ${name}', or give the service another container_name`,
    },
  );
}

/** The image's name, unless that means another image by now than the one that the task was planned with. */
async function pinnedImage({ engine }: AgentContext, task: Task, service: Service): Promise<string | undefined> {
  if (task.imageId === undefined) return undefined;
  const named = await engine.images.find(service.image ?? builtImageName(task.app, task.service));
  return named?.id === task.imageId ? undefined : task.imageId;
}

/** Data in anonymous volumes goes on in the task that replaces another, as docker compose does it. */
export async function inheritedVolumes(context: AgentContext, task: Task): Promise<Record<string, string>> {
  const before = task.inherits === undefined ? undefined : await inspectIfThere(context, task.inherits);
  return Object.fromEntries(anonymousVolumes(before).map(({ target, name }) => [target, name]));
}

export function anonymousVolumes(container: Container | undefined): MountPoint[] {
  return (container?.mounts ?? []).filter(({ type, name }) => type === "volume" && /^[0-9a-f]{64}$/.test(name));
}

export async function inspectIfThere({ engine }: AgentContext, reference: string): Promise<Container | undefined> {
  try {
    return await engine.containers.inspect(reference);
  } catch (thrown) {
    if (isCode(thrown, "not_found")) return undefined;
    throw thrown;
  }
}

/** The container that was made for the task, where a step was cut off before it could say so. */
export async function findContainer({ engine }: AgentContext, task: Task): Promise<string | undefined> {
  const [found] = await engine.containers.list({ all: true, filters: { label: [`${taskLabel}=${task.id}`] } });
  return found?.id;
}
