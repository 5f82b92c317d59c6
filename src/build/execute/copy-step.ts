import { statSync } from "node:fs";
import { join, posix } from "node:path";
import { chainOf, copyKey } from "../cache/keys.ts";
import type { StepLayer, StepRecord } from "../cache/records.ts";
import { readArchive } from "../copy/archive.ts";
import type { LayerEntry } from "../copy/layer-entry.ts";
import { LayerPlan } from "../copy/layer-plan.ts";
import { parseMode } from "../copy/mode.ts";
import { parseOwner } from "../copy/owner.ts";
import { type PlaceOptions, placeFile, placeSelection } from "../copy/place.ts";
import { placeArchive } from "../copy/place-archive.ts";
import { tarStream } from "../copy/tar-writer.ts";
import type { CopyStep } from "../graph/steps.ts";
import { emptyView } from "../tree/resolve.ts";
import { cachedStep, findRecord, now, type StepOutcome } from "./cached-step.ts";
import { type CopyInputs, copyInputs, quickDigest } from "./copy-sources.ts";
import { type BuildSession, diffIdsOf } from "./parts.ts";
import { openRoot } from "./views.ts";

/**
 * COPY and ADD: what they name is hashed first, and where a layer of the same content on the same root is known nothing else happens.
 * The layer is written straight as a tar; no root is mounted to write into.
 */
export async function runCopy(
  session: BuildSession,
  step: CopyStep,
  below: readonly StepLayer[],
  useCache: boolean,
): Promise<StepOutcome> {
  const parent = chainOf(diffIdsOf(below));
  const epoch = session.plan.sourceDateEpoch;
  const quick = await quickDigest(session, step);
  const quickKey = quick === undefined ? undefined : copyKey(parent, step, quick, epoch);
  const known = quickKey !== undefined && useCache ? await findRecord(session, quickKey) : undefined;
  if (known) {
    session.used.set(quickKey!, known);
    return { record: known, cached: true };
  }
  await using inputs = await copyInputs(session, step);
  const key = copyKey(parent, step, inputs.digest, epoch);
  const outcome = await cachedStep(session, key, useCache, () => makeLayer(session, step, below, inputs));
  if (quickKey !== undefined) {
    session.records.write(quickKey, outcome.record);
    session.used.set(quickKey, outcome.record);
  }
  return outcome;
}

async function makeLayer(
  session: BuildSession,
  step: CopyStep,
  below: readonly StepLayer[],
  inputs: CopyInputs,
): Promise<StepRecord> {
  await using root = await openRoot(session, step.link && !needsAccounts(step) ? [] : below);
  const now_s = session.plan.sourceDateEpoch ?? Math.floor(session.parts.clock.now_ms() / 1000);
  const plan = new LayerPlan({
    view: step.link ? emptyView : root.view,
    accountsView: root.view,
    rootPath: root.path,
    now_s,
  });
  const options = placeOptions(session, step, plan);
  await placeAll(session, step, inputs, plan, options);
  const entries = plan.finish();
  const record: StepRecord = { createdAt: now(session), description: step.createdBy };
  if (entries.length === 0) return record;
  const parent = diffIdsOf(below);
  return {
    ...record,
    layer: await session.parts.layers.ingest(tarStream(entries), { parent, signal: session.signal }),
  };
}

function needsAccounts(step: CopyStep): boolean {
  return step.chown !== undefined && !/^\d+(:\d+)?$/.test(step.chown);
}

function placeOptions(
  session: BuildSession,
  step: CopyStep,
  plan: LayerPlan,
): Omit<PlaceOptions, "keepOwners" | "mtime_s"> {
  return {
    destination: step.destination,
    owner: step.chown === undefined ? undefined : parseOwner(step.chown, plan.accounts()),
    mode: step.chmod === undefined ? undefined : parseMode(step.chmod),
    xattrs: session.parts.xattrs,
  };
}

/** With SOURCE_DATE_EPOCH files of a context get exactly that time (a checkout's times say nothing), files of stages at most that. */
function timeRule(session: BuildSession, keepOwners: boolean): ((mtime_s: number) => number) | undefined {
  const epoch = session.plan.sourceDateEpoch;
  if (epoch === undefined) return undefined;
  return keepOwners ? mtime_s => Math.min(mtime_s, epoch) : () => epoch;
}

async function placeAll(
  session: BuildSession,
  step: CopyStep,
  inputs: CopyInputs,
  plan: LayerPlan,
  options: Omit<PlaceOptions, "keepOwners" | "mtime_s">,
) {
  for (const { path, name, format } of inputs.archives) {
    const spoolPath = join(session.tempPath, `${session.next()}-spool`);
    const entries = await readArchive({ path, name, format, spoolPath }, session.parts.fetcher, session.signal);
    const { owner, destination } = options;
    if (entries) placeArchive(plan, entries, { owner, destination, mtime_s: timeRule(session, true) });
    else placeNamed(plan, options, name, fileEntry(path, options, 0o644, timeRule(session, false)));
  }
  for (const { tree, selections } of inputs.groups) {
    const { keepOwners } = tree;
    for (const selection of selections) {
      placeSelection(plan, selection, {
        ...options,
        keepOwners,
        mtime_s: timeRule(session, keepOwners),
        keepPath: step.parents,
      });
    }
  }
  for (const { path, fileName } of inputs.downloads) {
    placeNamed(plan, options, fileName, fileEntry(path, options, 0o600, timeRule(session, true)));
  }
  for (const { name, text } of step.files) {
    const mtime_s = Math.floor(Date.parse(now(session)) / 1000);
    placeNamed(plan, options, name, at => ({
      path: at,
      type: "file",
      mode: options.mode?.(0o644, false) ?? 0o644,
      ...(options.owner ?? { uid: 0, gid: 0 }),
      mtime_s,
      content: { data: Buffer.from(text) },
    }));
  }
}

function fileEntry(
  hostPath: string,
  options: Pick<PlaceOptions, "owner" | "mode">,
  mode: number,
  mtimeRule: ((mtime_s: number) => number) | undefined,
): (path: string) => LayerEntry {
  const stat = statSync(hostPath);
  const mtime_s = Math.floor(stat.mtimeMs / 1000);
  return path => ({
    path,
    type: "file",
    mode: options.mode?.(mode, false) ?? mode,
    ...(options.owner ?? { uid: 0, gid: 0 }),
    mtime_s: mtimeRule?.(mtime_s) ?? mtime_s,
    content: { hostPath, size: stat.size },
  });
}

/** A lone file that has a name of its own: into a directory under that name, else as the destination says. */
function placeNamed(
  plan: LayerPlan,
  options: Pick<PlaceOptions, "destination" | "owner">,
  name: string,
  make: (path: string) => LayerEntry,
) {
  const { destination, owner } = options;
  const isInto = destination.endsWith("/") || plan.resolve(destination).stat?.isDirectory();
  placeFile(plan, isInto ? posix.join(destination, name) : destination, owner, make);
}
