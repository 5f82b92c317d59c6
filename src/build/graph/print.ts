import { formatPlatform } from "../../image/platform.ts";
import type { PrintedGraph } from "../../ports/build.ts";

import type { BuildPlan, FileSource, StageBase, Step } from "./steps.ts";

function sourceName(source: FileSource | StageBase, names: ReadonlyMap<number, string>): string {
  if (source.kind === "scratch") return "scratch";
  if (source.kind === "stage") return `stage ${names.get(source.index) ?? source.index}`;
  if (source.kind === "image") return source.reference;
  return source.name === "" ? "context" : `context ${source.name}`;
}

function needsOf(step: Step, names: ReadonlyMap<number, string>): string[] {
  if (step.kind === "copy") return step.sources.length > 0 ? [sourceName(step.from, names)] : [];
  if (step.kind === "run") return step.mounts.flatMap(mount => (mount.from ? [sourceName(mount.from, names)] : []));
  return [];
}

/** The plan as a value for people and programs: `--print`. */
export function printedGraph(plan: BuildPlan): PrintedGraph {
  const names = new Map([...plan.stages, ...plan.skipped].map(stage => [stage.index, stage.name]));
  const stages = plan.stages.map(stage => ({
    name: stage.name,
    index: stage.index,
    base: sourceName(stage.base, names),
    platform: formatPlatform(stage.platform),
    needs: stage.needs.map(index => names.get(index)!),
    needed: true,
    steps: stage.steps.map(step => ({
      line: step.at.line,
      instruction: step.createdBy,
      makesLayer: step.kind !== "config",
      needs: needsOf(step, names),
    })),
  }));
  const skipped = plan.skipped.map(({ index, name }) => ({
    name,
    index,
    base: "",
    needs: [],
    needed: false,
    steps: [],
  }));
  return { target: names.get(plan.target)!, stages: [...stages, ...skipped].sort((a, b) => a.index - b.index) };
}
