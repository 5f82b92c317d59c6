import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { CallOptions } from "../../ports/content.ts";
import type { CheckReport } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { ownerOfExec } from "../exec/exec-record.ts";
import { ownerOfRoot } from "../lifecycle/image-mounts.ts";
import { look } from "../lifecycle/look.ts";
import { removeAnonymous, removeParts } from "../lifecycle/remove-locked.ts";
import { settle } from "../lifecycle/settle.ts";
import { cgroupRoot } from "../start/runtime-spec.ts";
import { readJson } from "../state/json-file.ts";
import type { ContainerConfig, StoredState } from "../state/record.ts";
import { LiveContainers } from "./live-containers.ts";

export interface Checker {
  context: EngineContext;
  repair: boolean;
  report: CheckReport;
  options: CallOptions;
}

/**
 * Compares what is there with what the containers account for: half-made and half-removed containers, unfinished exits, names, roots, runtime's containers,
 * control groups, mounts, networks and volumes. With `repair` whatever leaked is removed; a second check is then empty.
 */
export async function checkSystem(
  context: EngineContext,
  { repair = false, ...options }: CallOptions & { repair?: boolean },
): Promise<CheckReport> {
  const checker: Checker = { context, repair, report: { findings: [], repaired: [] }, options };
  await checkCreating(checker);
  await checkRemoving(checker);
  await checkContainers(checker);
  await checkNames(checker);
  const known = new LiveContainers(context);
  await checkRuntime(checker, known);
  await checkRoots(checker, known);
  await checkRunDirectory(checker, known);
  await checkServices(checker, known);
  return checker.report;
}

/** Notes a finding, and repairs it if asked. A repair that fails is a finding more. */
export async function found(checker: Checker, sentence: string, repair: () => Promise<void> | void): Promise<void> {
  checker.options.signal?.throwIfAborted();
  if (!checker.repair) {
    checker.report.findings.push(sentence);
    return;
  }
  try {
    await repair();
    checker.report.repaired.push(sentence);
  } catch (thrown) {
    checker.report.findings.push(`${sentence}; repairing it failed: ${(thrown as Error).message}`);
  }
}

const short = (id: string) => id.slice(0, 12);

/** A creator that was killed: its name, root and volumes go. */
async function checkCreating(checker: Checker): Promise<void> {
  const { context } = checker;
  const { paths, store } = context;
  for (const id of readdirSync(paths.creating)) {
    const lock = tryLock(context, join(paths.creating, id));
    if (lock === undefined && existsSync(join(paths.creating, id, "lock"))) continue;
    await found(checker, `container ${short(id)} was half made when its maker was killed`, async () => {
      const config = readJson<ContainerConfig>(join(paths.creating, id, "config.json"));
      for (const [name, holder] of store.names.all()) if (holder === id) store.names.release(name, id);
      if (config) await removeParts(context, config, true);
      else await context.layers.removeRoot(id);
      const volumes = readJson<string[]>(join(paths.creating, id, "volumes.json")) ?? [];
      for (const name of volumes) await removeAnonymous(context, name);
      rmSync(join(paths.linking, id), { force: true });
      rmSync(join(paths.creating, id), { recursive: true, force: true });
    });
    await lock?.[Symbol.asyncDispose]();
  }
}

/** A remover that was killed: what it had not got to goes too. */
async function checkRemoving(checker: Checker): Promise<void> {
  const { context } = checker;
  const { paths } = context;
  for (const id of readdirSync(paths.removing)) {
    const lock = tryLock(context, join(paths.removing, id));
    if (lock === undefined && existsSync(join(paths.removing, id, "lock"))) continue;
    await found(checker, `container ${short(id)} was half removed when its remover was killed`, async () => {
      const config = readJson<ContainerConfig>(join(paths.removing, id, "config.json"));
      if (config) {
        context.store.names.release(config.name, id);
        await removeParts(context, config, existsSync(join(paths.removing, id, "with-volumes")));
      }
      await context.runtime.delete(id, { force: true });
      rmSync(join(paths.removing, id), { recursive: true, force: true });
    });
    await lock?.[Symbol.asyncDispose]();
  }
}

function tryLock({ locks }: EngineContext, directory: string) {
  try {
    return locks.tryAcquire(join(directory, "lock"));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Exits nobody finished, starts that were killed, monitors that are gone, records that cannot be read. */
async function checkContainers(checker: Checker): Promise<void> {
  const { context } = checker;
  const { store, paths } = context;
  for (const id of store.ids()) {
    const config = store.tryConfig(id);
    if (config === undefined) {
      await found(checker, `the record of container ${short(id)} cannot be read`, () =>
        rmSync(paths.container(id), { recursive: true, force: true }),
      );
      continue;
    }
    // Whoever holds the lock is at work on it, so that it may look unfinished now.
    const lock = store.tryLock(id);
    if (lock === undefined) continue;
    await using _lock = lock;
    const { observed, stored } = look(context, id);
    if (observed.kind === "unmonitored") {
      checker.report.findings.push(
        `container ${config.name} runs without a monitor, which was killed; 'berth restart ${config.name}' gives it one`,
      );
    } else if (observed.kind !== "settled" && observed.kind !== "running") {
      await found(checker, `${unfinished[observed.kind]} of container ${config.name} was not finished`, async () => {
        await settle(context, id);
      });
    } else if (observed.kind === "settled" && isMountedInVain(context, config, stored)) {
      await found(checker, `the root of container ${config.name} is mounted, and it does not run`, () =>
        context.layers.unmount(id),
      );
    }
  }
}

/** A root is mounted from its making to the end of its first run, and during each later one. */
function isMountedInVain({ mounts }: EngineContext, { rootfsPath }: ContainerConfig, stored: StoredState): boolean {
  return stored.phase === "exited" && mounts.under(rootfsPath).length > 0;
}

const unfinished = { starting: "a start", leftover: "the clean-up", ended: "the exit", lost: "the exit" } as const;

async function checkNames(checker: Checker): Promise<void> {
  const { store, paths, locks } = checker.context;
  for (const [name, id] of store.names.all()) {
    if (locks.isHeld(join(paths.creating, id, "lock")) || store.tryConfig(id)?.name === name) continue;
    const lock = store.tryLock(id);
    if (lock === undefined && store.exists(id)) continue;
    await found(checker, `the name ${name} is held by no container`, () => store.names.release(name, id));
    await lock?.[Symbol.asyncDispose]();
  }
}

async function checkRuntime(checker: Checker, known: Set<string>): Promise<void> {
  const { context } = checker;
  const { runtime, cgroups } = context;
  for (const id of await runtime.list()) {
    if (known.has(id) && existsSync(context.paths.bundle(id))) continue;
    await found(checker, `the runtime has container ${short(id)}, which is not ours any more`, () =>
      runtime.delete(id, { force: true }),
    );
  }
  const root = cgroupRoot(context);
  for (const id of await cgroups.children(root)) {
    if (known.has(id) && existsSync(context.paths.bundle(id))) continue;
    await found(checker, `the control group ${root}/${id} belongs to no container`, async () => {
      await cgroups.killAll(`${root}/${id}`);
      await cgroups.remove(`${root}/${id}`);
    });
  }
}

async function checkRoots(checker: Checker, known: Set<string>): Promise<void> {
  const { layers } = checker.context;
  for (const rootId of await layers.roots()) {
    const owner = ownerOfRoot(rootId);
    // Only containers have ids of 64 digits: other roots are build steps', which their builder looks after.
    if (known.has(owner) || !/^[0-9a-f]{64}$/.test(owner)) continue;
    await found(checker, `the root ${short(rootId)} belongs to no container`, () => layers.removeRoot(rootId));
  }
}

async function checkRunDirectory(checker: Checker, known: Set<string>): Promise<void> {
  const { context } = checker;
  const { paths, mounts, runtime } = context;
  for (const id of readdirSync(paths.bundles)) {
    if (known.has(id)) continue;
    await found(checker, `the run directory of container ${short(id)} is left over`, () => {
      for (const { target } of mounts.under(paths.bundle(id))) mounts.unmount(target);
      runtime.forget({ id, bundle: paths.bundle(id) });
      rmSync(paths.bundle(id), { recursive: true, force: true });
    });
  }
  for (const execId of readdirSync(paths.execIndex)) {
    if (existsSync(join(paths.execIndex, execId))) continue;
    await found(checker, `exec ${short(execId)} of container ${short(ownerOfExec(context, execId))} is left over`, () =>
      rmSync(join(paths.execIndex, execId), { force: true }),
    );
  }
  for (const name of readdirSync(runtime.exitsDirectory)) {
    if (existsSync(paths.bundle(name)) || existsSync(join(paths.execIndex, name))) continue;
    await found(checker, `the exit record ${short(name)} is left over`, () =>
      rmSync(join(runtime.exitsDirectory, name), { force: true }),
    );
  }
}

/** The services check themselves against the containers that there are. */
async function checkServices(checker: Checker, known: Set<string>): Promise<void> {
  const { context, repair, report, options } = checker;
  const sentences = await context.networks.check(known, { ...options, repair });
  (repair ? report.repaired : report.findings).push(...sentences);
  if (repair) report.findings.push(...(await context.networks.check(known, options)));
}
