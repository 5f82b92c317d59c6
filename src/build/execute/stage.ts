import { asBerthError, BerthError, isCode } from "../../base/errors.ts";
import type { BuildVertex } from "../../ports/build.ts";
import type { StepLayer } from "../cache/records.ts";
import { excerpt } from "../dockerfile/source.ts";
import type { CopyStep, StagePlan, Step } from "../graph/steps.ts";
import type { StepOutcome } from "./cached-step.ts";
import { runCopy } from "./copy-step.ts";
import type { BuildSession, StageHistory, StageResult } from "./parts.ts";
import { runCommand } from "./run-step.ts";
import { imageLayers } from "./views.ts";
import { runWorkdir } from "./workdir-step.ts";

/** Builds a stage once; whoever needs it waits for the same result. Stages that it stands on or copies from are started first, side by side. */
export function startStage(session: BuildSession, index: number): Promise<StageResult> {
  let stage = session.stages.get(index);
  if (!stage) {
    const plan = session.plan.stages.find(candidate => candidate.index === index);
    if (!plan) throw new BerthError("internal", `stage ${index} is not part of the plan`);
    for (const need of plan.needs) startStage(session, need);
    stage = buildStage(session, plan);
    stage.catch(() => undefined);
    session.stages.set(index, stage);
  }
  return stage;
}

async function buildStage(session: BuildSession, stage: StagePlan): Promise<StageResult> {
  const { layers, history } = await startingPoint(session, stage);
  const useCache = mayUseCache(session, stage);
  for (const [index, step] of stage.steps.entries()) {
    session.signal.throwIfAborted();
    const vertex = stepVertex(session, stage, index);
    const outcome = await runStep(session, step, layers, { useCache, vertex });
    const layer = outcome?.record.layer;
    if (layer) layers.push(layer);
    history.push({
      createdBy: step.createdBy,
      createdAt: outcome?.record.layer && outcome.record.createdAt,
      hasLayer: layer !== undefined,
      author: stage.author,
      comment: "berth",
    });
  }
  return { layers, history };
}

function mayUseCache(session: BuildSession, stage: StagePlan): boolean {
  const { noCache, noCacheStages = [] } = session.input;
  return !noCache && !noCacheStages.some(name => name.toLowerCase() === stage.name || name === String(stage.index));
}

async function startingPoint(session: BuildSession, stage: StagePlan): Promise<StageResult> {
  const { base } = stage;
  const vertex: BuildVertex = { ...stepVertex(session, stage, -1), name: `[${stage.name}] ${stage.text}` };
  return session.progress.vertex(vertex, async () => {
    if (base.kind === "stage") {
      const { layers, history } = await session.stages.get(base.index)!;
      return { value: { layers: [...layers], history: [...history] }, cached: true };
    }
    if (base.kind === "image") return { value: fromImage(session, base.reference), cached: true };
    if (base.kind === "context") return { value: await fromContext(session, stage, base.name) };
    return { value: { layers: [], history: [] }, cached: true };
  });
}

function fromImage(session: BuildSession, reference: string): StageResult {
  const { config } = session.images.get(reference)!;
  const history = config.history ?? [];
  return {
    layers: imageLayers(session, reference),
    history: history.map(entry => ({
      createdAt: entry.created,
      createdBy: entry.created_by ?? "",
      hasLayer: entry.empty_layer !== true,
      comment: entry.comment,
      author: entry.author,
    })),
  };
}

/** FROM a named context: its files are the root. */
async function fromContext(session: BuildSession, stage: StagePlan, name: string): Promise<StageResult> {
  const step: CopyStep = {
    kind: "copy",
    at: stage.at,
    text: stage.text,
    createdBy: `FROM context ${name}`,
    isAdd: false,
    from: { kind: "context", name },
    sources: ["/"],
    files: [],
    destination: "/",
    exclude: [],
    link: false,
    parents: false,
    keepGit: false,
  };
  const { record } = await runCopy(session, step, [], mayUseCache(session, stage));
  const entry: StageHistory = {
    createdBy: step.createdBy,
    createdAt: record.createdAt,
    hasLayer: record.layer !== undefined,
  };
  return { layers: record.layer ? [record.layer] : [], history: [entry] };
}

/** Undefined for steps that only change the configuration. */
async function runStep(
  session: BuildSession,
  step: Step,
  layers: readonly StepLayer[],
  { useCache, vertex }: { useCache: boolean; vertex: BuildVertex },
): Promise<StepOutcome | undefined> {
  const { progress } = session;
  return progress.vertex(vertex, async () => {
    if (step.kind === "config") {
      progress.steps++;
      return { value: undefined };
    }
    try {
      const outcome = await runLayerStep(session, step, layers, { useCache, vertex });
      progress.steps++;
      if (outcome.cached) progress.cachedSteps++;
      return { value: outcome, cached: outcome.cached, layerId: outcome.record.layer?.diffId };
    } catch (thrown) {
      throw stepError(session, step, thrown);
    }
  });
}

function runLayerStep(
  session: BuildSession,
  step: Exclude<Step, { kind: "config" }>,
  layers: readonly StepLayer[],
  options: { useCache: boolean; vertex: BuildVertex },
): Promise<StepOutcome> {
  if (step.kind === "run") return runCommand(session, step, layers, options);
  if (step.kind === "copy") return runCopy(session, step, layers, options.useCache);
  return runWorkdir(session, step, layers, options.useCache);
}

/** Says at which line of the Dockerfile it happened. */
function stepError(session: BuildSession, step: Step, thrown: unknown): unknown {
  if (session.signal.aborted && session.signal.reason === thrown) return thrown;
  const error = asBerthError(thrown);
  if (isCode(error, "cancelled") || error.details?.["line"] !== undefined) return error;
  const { source } = session.file;
  const where = `${source.name}:${step.at.line}`;
  const message = `${where}: ${step.text.slice(0, 200)}: ${error.message}\n${excerpt(source, step.at)}`;
  return new BerthError(error.code, message, {
    hint: error.hint,
    cause: thrown,
    retryable: error.retryable,
    details: { ...error.details, file: source.name, line: step.at.line, column: step.at.column },
  });
}

/** Steps are counted over all needed stages in the order of the file, FROM lines included, as Docker counts. `index` -1 is FROM. */
function stepVertex(session: BuildSession, stage: StagePlan, index: number): BuildVertex {
  const { stages } = session.plan;
  const before = stages
    .filter(other => other.index < stage.index)
    .reduce((sum, other) => sum + other.steps.length + 1, 0);
  const step = stage.steps[index];
  return {
    id: `${stage.index}.${index + 1}`,
    name: `[${stage.name} ${index + 1}/${stage.steps.length}] ${step?.text ?? stage.text}`,
    stage: stage.name,
    step: before + index + 2,
    steps: stages.reduce((sum, other) => sum + other.steps.length + 1, 0),
    line: step?.at.line ?? stage.at.line,
  };
}
