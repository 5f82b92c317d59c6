import { chainOf, workdirKey } from "../cache/keys.ts";
import type { StepLayer, StepRecord } from "../cache/records.ts";
import { LayerPlan } from "../copy/layer-plan.ts";
import { tarStream } from "../copy/tar-writer.ts";
import type { WorkdirStep } from "../graph/steps.ts";
import { cachedStep, now, type StepOutcome } from "./cached-step.ts";
import { type BuildSession, diffIdsOf } from "./parts.ts";
import { openRoot } from "./views.ts";

/** WORKDIR makes the directory where there is none; where there is one it costs no layer. */
export async function runWorkdir(
  session: BuildSession,
  step: WorkdirStep,
  below: readonly StepLayer[],
  useCache: boolean,
): Promise<StepOutcome> {
  const key = workdirKey(chainOf(diffIdsOf(below)), step.path, session.plan.sourceDateEpoch);
  return cachedStep(session, key, useCache, async () => {
    const record: StepRecord = { createdAt: now(session), description: step.createdBy };
    await using root = await openRoot(session, below);
    const { view, path: rootPath } = root;
    const now_s = Math.floor(Date.parse(record.createdAt) / 1000);
    const plan = new LayerPlan({ view, accountsView: view, rootPath, now_s });
    if (plan.resolve(step.path).stat?.isDirectory()) return record;
    plan.directory(step.path);
    const parent = diffIdsOf(below);
    const layer = await session.parts.layers.ingest(tarStream(plan.finish()), { parent, signal: session.signal });
    return { ...record, layer };
  });
}
