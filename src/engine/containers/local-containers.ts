import { BerthError } from "../../base/errors.ts";
import type { Container, ContainerSpec } from "../../model/container.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { ContainerBackend } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { createContainer } from "../create/create-container.ts";
import { readExec } from "../exec/exec-record.ts";
import { createExec, inspectExec, resizeExec, startExec, waitExec } from "../exec/execs.ts";
import { inspectContainer } from "../inspect/inspect-container.ts";
import { listContainers } from "../inspect/list-containers.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { readArchive, statPath, writeArchive } from "./archive.ts";
import { attachContainer } from "./attach.ts";
import { containerLogs } from "./container-logs.ts";
import { containerStats } from "./container-stats.ts";
import { containerTop } from "./container-top.ts";
import { commitContainer, containerChanges, exportContainer } from "./image-from-container.ts";
import { pauseContainer, unpauseContainer } from "./pause-container.ts";
import { pruneContainers } from "./prune-containers.ts";
import { removeContainer } from "./remove-container.ts";
import { renameContainer } from "./rename-container.ts";
import { killContainer, stopContainer } from "./signal-container.ts";
import { restartContainer, startContainer } from "./start-container.ts";
import { updateContainer } from "./update-container.ts";
import { waitContainer } from "./wait-container.ts";

/** The port's method names, each on the function that does it; whoever wants to know how a thing works opens that file. */
export function localContainers(context: EngineContext): ContainerBackend {
  return {
    create: (spec: ContainerSpec, options) => createContainer(context, spec, options),
    start: (reference, options = {}) => startContainer(context, reference, options),
    stop: (reference, options = {}) => stop(context, reference, options),
    restart: (reference, options = {}) => restartContainer(context, reference, options),
    kill: (reference, signal, options) => killContainer(context, reference, signal, options),
    pause: (reference, options = {}) => pauseContainer(context, reference, options),
    unpause: (reference, options = {}) => unpauseContainer(context, reference, options),
    remove: (reference, options = {}) => remove(context, reference, options),
    rename: (reference, name, options = {}) => renameContainer(context, reference, name, options),
    update: (reference, change, options = {}) => updateContainer(context, reference, change, options),
    wait: (reference, options = {}) => waitContainer(context, reference, options),
    inspect: async (reference): Promise<Container> => inspectContainer(context, reference),
    list: options => listContainers(context, options),
    sizes: (reference, options = {}) => sizes(context, reference, options),
    top: (reference, psArguments, options = {}) => containerTop(context, reference, psArguments, options),
    stats: (reference, options = {}) => containerStats(context, reference, options),
    logs: (reference, options = {}) => containerLogs(context, reference, options),
    attach: (reference, options) => attachContainer(context, reference, options),
    resize: (reference, rows, columns, options) => resize(context, reference, { rows, columns }, options),
    createExec: async (reference, spec) => createExec(context, reference, spec),
    startExec: (execId, options) => startExec(context, execId, options),
    resizeExec: (execId, rows, columns, options = {}) => resizeExec(context, execId, rows, columns, options),
    inspectExec: async execId => inspectExec(context, readExec(context, execId).id),
    waitExec: (execId, options = {}) => waitExec(context, execId, options),
    statPath: (reference, path, options = {}) => statPath(context, reference, path, options),
    readArchive: (reference, path, options = {}) => readArchive(context, reference, path, options),
    writeArchive: (reference, path, tar, options = {}) => writeArchive(context, reference, path, tar, options),
    changes: (reference, options = {}) => containerChanges(context, reference, options),
    export: (reference, options = {}) => exportContainer(context, reference, options),
    commit: (reference, options) => commitContainer(context, reference, options),
    prune: (options = {}) => pruneContainers(context, options),
  };
}

async function stop(
  context: EngineContext,
  reference: string,
  options: NonNullable<Parameters<ContainerBackend["stop"]>[1]>,
): Promise<void> {
  if (!(await stopContainer(context, reference, options))) {
    throw new BerthError("unchanged", `container ${reference} does not run`);
  }
}

async function remove(
  context: EngineContext,
  reference: string,
  options: NonNullable<Parameters<ContainerBackend["remove"]>[1]>,
): Promise<void> {
  if (options.link) return await removeLink(context, reference);
  await removeContainer(context, reference, options);
}

/** `docker rm --link /web/db`: takes the legacy link db out of container web. */
async function removeLink(context: EngineContext, reference: string): Promise<void> {
  const [container = "", alias = ""] = reference.replace(/^\//, "").split("/");
  const id = context.store.find(container);
  await using _lock = await context.store.lock(id);
  const config = context.store.config(id);
  const links = (config.spec.links ?? []).filter(link => link.split(":")[1] !== alias);
  if (links.length === (config.spec.links ?? []).length) {
    throw new BerthError("not_found", `container ${config.name} has no link ${JSON.stringify(alias)}`);
  }
  context.store.writeConfig({ ...config, spec: { ...config.spec, links } });
}

async function sizes(context: EngineContext, reference: string, options: CallOptions) {
  const id = context.store.find(reference);
  const { diffIds } = context.store.config(id);
  const [layers, writable_bytes] = await Promise.all([
    context.layers.sizes(diffIds),
    context.layers.changesSize(id, options),
  ]);
  return { writable_bytes, rootfs_bytes: layers.reduce((sum, size) => sum + size, writable_bytes) };
}

/** Before the start too: the runtime is told then. */
async function resize(
  context: EngineContext,
  reference: string,
  size: { rows: number; columns: number },
  options?: CallOptions,
): Promise<void> {
  const id = context.store.find(reference);
  if (!isRunning(look(context, id))) {
    throw new BerthError("conflict", `cannot resize the terminal of container ${reference}: it is not running`);
  }
  await context.runtime.resize({ bundle: context.paths.bundle(id), ...size }, options);
}
