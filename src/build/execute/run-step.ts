import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { BuildVertex } from "../../ports/build.ts";
import { chainOf, runKey } from "../cache/keys.ts";
import type { StepLayer, StepRecord } from "../cache/records.ts";
import type { RunStep } from "../graph/steps.ts";
import { cachedStep, now, type StepOutcome } from "./cached-step.ts";
import { type BuildSession, diffIdsOf } from "./parts.ts";
import type { StepLog } from "./progress.ts";
import { mountDigests, openMounts } from "./run-mounts.ts";
import { dropIdleParents, findStubs, idleParents, removeStubs } from "./stubs.ts";

/** RUN: one container on a writable root over the layers so far; what it changed is the layer. */
export async function runCommand(
  session: BuildSession,
  step: RunStep,
  below: readonly StepLayer[],
  options: { useCache: boolean; vertex: BuildVertex },
): Promise<StepOutcome> {
  const parent = chainOf(diffIdsOf(below));
  const key = runKey(parent, step, await mountDigests(session, step), session.plan.sourceDateEpoch);
  return cachedStep(session, key, options.useCache, async () => {
    const log = session.progress.log(options.vertex);
    const id = `build-${session.id}-${session.next()}`;
    const runPath = join(session.parts.runPath, id);
    mkdirSync(runPath, { recursive: true, mode: 0o700 });
    try {
      return await execute(session, step, below, { id, runPath, log });
    } finally {
      rmSync(runPath, { recursive: true, force: true });
    }
  });
}

async function execute(
  session: BuildSession,
  step: RunStep,
  below: readonly StepLayer[],
  { id, runPath, log }: { id: string; runPath: string; log: StepLog },
): Promise<StepRecord> {
  const { layers } = session.parts;
  const { signal } = session;
  if (below.length === 0)
    throw new BerthError(
      "invalid",
      "RUN in a stage that is FROM scratch and has no files yet: there is no program to run",
    );
  await layers.unpack([...below], { signal });
  await layers.createRoot(id, diffIdsOf(below), { signal });
  let committed = false;
  try {
    const { mergedPath, upperPath } = await layers.mount(id, { signal });
    const idle = await runIn(session, step, { id, runPath, mergedPath, log });
    await layers.unmount(id);
    dropIdleParents(upperPath, idle);
    const layer = await layers.commit(id, { sourceDateEpoch: session.plan.sourceDateEpoch, consume: true, signal });
    committed = true;
    return { createdAt: now(session), description: step.createdBy, layer };
  } finally {
    if (!committed) await layers.removeRoot(id);
  }
}

/** Returns directories of the upper layer that only the runtime's mount points have brought there. */
async function runIn(
  session: BuildSession,
  step: RunStep,
  { id, runPath, mergedPath, log }: { id: string; runPath: string; mergedPath: string; log: StepLog },
): Promise<string[]> {
  const { parts, input, signal } = session;
  await using opened = await openMounts(session, step, runPath);
  const stubs = findStubs(mergedPath, [...parts.runner.mountPoints, ...opened.mounts.map(mount => mount.target)]);
  const { exitCode, oomKilled } = await parts.runner.run({
    id,
    rootfsPath: mergedPath,
    args: step.args,
    env: [...step.proxyEnv, ...step.env, ...opened.env],
    workingDir: step.workingDir,
    user: step.user,
    mounts: opened.mounts,
    network: step.network,
    extraHosts: input.extraHosts ?? [],
    shmSize_bytes: input.shmSize_bytes,
    ulimits: input.ulimits,
    resources: input.resources,
    cgroupParent: input.cgroupParent,
    onOutput: log.write,
    signal,
  });
  signal.throwIfAborted();
  if (exitCode !== 0) throw failed(exitCode, oomKilled, log);
  removeStubs(mergedPath, stubs);
  return idleParents(mergedPath, stubs);
}

function failed(exitCode: number, oomKilled: boolean, log: StepLog): BerthError {
  const tail = log.tail();
  const words = oomKilled
    ? "was killed: out of memory"
    : exitCode > 128
      ? `was killed by signal ${exitCode - 128}`
      : `exit code ${exitCode}`;
  return new BerthError("invalid", [words, ...tail.map(line => `  ${line}`)].join("\n"), {
    details: { exitCode, log: tail },
    hint: exitCode === 127 ? "a program was not found: is it installed in an earlier step?" : undefined,
  });
}
