import { BerthError } from "../../base/errors.ts";
import { formatPlatform, parsePlatform } from "../../image/platform.ts";
import type { ImageRunConfig, Platform } from "../../model/image.ts";
import type { From } from "../dockerfile/instruction.ts";
import { type Dockerfile, parseTrigger } from "../dockerfile/parse.ts";
import { dockerfileError, type Position } from "../dockerfile/source.ts";
import { nearest } from "../dockerfile/suggest.ts";
import { evaluate } from "./evaluate.ts";
import { builderArgs, platformArgs, proxyArgs, Scope } from "./scope.ts";
import { type PlanInput, type StageState, startStage } from "./stage-state.ts";
import type { BuildPlan, FileSource, StageBase, StagePlan } from "./steps.ts";

/** Configurations of base images by reference. */
export type BaseConfigs = ReadonlyMap<string, ImageRunConfig>;

/** Either the whole plan, or the images that must be known before it can be made (asked again until none is missing). */
export type Planned = { kind: "plan"; plan: BuildPlan } | { kind: "missing"; images: string[] };

class Planner {
  readonly #input: PlanInput;
  readonly #bases: BaseConfigs;
  readonly #globals: Map<string, string>;
  readonly #fromScope: Scope;
  readonly #done = new Map<number, { plan: StagePlan; config: ImageRunConfig }>();
  readonly missing = new Set<string>();
  readonly warnings: { message: string; line?: number }[] = [];

  constructor(input: PlanInput, bases: BaseConfigs) {
    this.#input = input;
    this.#bases = bases;
    const { file, host, platform } = input;
    const platforms = platformArgs(host, platform, input.target ?? "default");
    this.#globals = new Map(platforms);
    this.#fromScope = new Scope(file.source, file.directives.escape, name => this.#globals.get(name));
    const epoch = input.args["SOURCE_DATE_EPOCH"];
    if (epoch !== undefined) this.#globals.set("SOURCE_DATE_EPOCH", epoch);
    for (const { name, value } of file.globals.flatMap(arg => arg.args)) {
      const given = input.args[name] ?? (value ? this.#fromScope.text(value) : platforms.get(name));
      if (given !== undefined) this.#globals.set(name, given);
    }
  }

  #stageName(index: number): string {
    return this.#input.file.stages[index]?.from.as ?? String(index);
  }

  target(): number {
    const { stages } = this.#input.file;
    const wanted = this.#input.target;
    if (wanted === undefined || wanted === "") return stages.length - 1;
    const byName = stages.findIndex(stage => stage.from.as === wanted.toLowerCase());
    if (byName >= 0) return byName;
    if (/^\d+$/.test(wanted) && Number(wanted) < stages.length) return Number(wanted);
    const names = stages.map(stage => stage.from.as).filter(name => name !== undefined);
    const meant = nearest(wanted, names);
    throw dockerfileError(this.#input.file.source, stages.at(-1)!.from.at, `there is no stage '${wanted}'`, {
      hint: meant
        ? `did you mean ${meant}?`
        : names.length > 0
          ? `the stages are ${names.join(", ")}`
          : "no stage has a name",
    });
  }

  #earlierStage(name: string, before: number): number | undefined {
    const { stages } = this.#input.file;
    for (let i = before - 1; i >= 0; i--) if (stages[i]!.from.as === name.toLowerCase()) return i;
    return undefined;
  }

  #base(from: From, index: number): StageBase {
    const name = this.#fromScope.text(from.image);
    if (name === "")
      throw this.#fromScope.fail(
        from.image,
        `FROM '${from.image.text}' is empty after its variables are put in`,
        "give the ARG a default, or pass --build-arg",
      );
    const context = this.#input.contexts.get(name);
    if (context)
      return context.image === undefined ? { kind: "context", name } : { kind: "image", reference: context.image };
    if (name === "scratch") return { kind: "scratch" };
    const stage = this.#earlierStage(name, index);
    if (stage !== undefined) return { kind: "stage", index: stage };
    return { kind: "image", reference: name };
  }

  #source(name: string, at: Position, index: number): FileSource {
    const context = this.#input.contexts.get(name);
    if (context) return context.image === undefined ? { kind: "context", name } : this.#image(context.image);
    const { stages, source } = this.#input.file;
    const stage = /^\d+$/.test(name) ? Number(name) : this.#earlierStage(name, index);
    if (stage !== undefined && stage < index) return { kind: "stage", index: stage };
    const later = /^\d+$/.test(name) ? stage : stages.findIndex(other => other.from.as === name.toLowerCase());
    if (later !== undefined && later >= 0) {
      const found = stages[later];
      const hint = found
        ? `move the stage of line ${found.from.at.line} in front of this one`
        : `the stages so far have the numbers 0 to ${index - 1}`;
      throw dockerfileError(source, at, `stage '${name}' does not come before this one`, { hint });
    }
    return this.#image(name);
  }

  #image(reference: string): FileSource {
    if (!this.#bases.has(reference)) this.missing.add(reference);
    return { kind: "image", reference };
  }

  #platform(from: From) {
    const text = from.platform && this.#fromScope.text(from.platform);
    if (!text || !from.platform) return this.#input.platform;
    const { host } = this.#input;
    let platform: Platform;
    try {
      platform = parsePlatform(text, host);
    } catch (thrown) {
      if (!(thrown instanceof BerthError)) throw thrown;
      throw this.#fromScope.fail(from.platform, thrown.message, thrown.hint);
    }
    if (platform.os !== host.os || platform.architecture !== host.architecture) {
      throw this.#fromScope.fail(
        from.platform,
        `the stage wants ${text}, and this host is ${formatPlatform(host)}`,
        "Berth builds for the host's own platform",
      );
    }
    return platform;
  }

  /** Plans a stage and everything it stands on. Undefined while a base image is not known. */
  visit(index: number): { plan: StagePlan; config: ImageRunConfig } | undefined {
    const known = this.#done.get(index);
    if (known) return known;
    const stage = this.#input.file.stages[index]!;
    const base = this.#base(stage.from, index);
    const baseConfig = this.#baseConfig(base);
    const platform = this.#platform(stage.from);
    const needs = new Set<number>();
    const images = new Set<string>();
    if (base.kind === "stage") needs.add(base.index);
    if (base.kind === "image") images.add(base.reference);
    const state = startStage(this.#input, this.#globals, baseConfig, {
      warn: (message, line) => void this.warnings.push({ message, line }),
      source: (name, at) => {
        const source = this.#source(name, at, index);
        if (source.kind === "stage") needs.add(source.index);
        if (source.kind === "image") images.add(source.reference);
        return source;
      },
    });
    if (baseConfig === undefined && base.kind !== "scratch" && base.kind !== "context") {
      for (const name of namesBehindFrom(stage.instructions)) state.source(name, stage.from.at);
      for (const need of needs) this.visit(need);
      return undefined;
    }
    const baseName =
      base.kind === "stage" ? this.#stageName(base.index) : base.kind === "image" ? base.reference : base.kind;
    for (const trigger of baseConfig?.OnBuild ?? []) evaluateTrigger(state, trigger, baseName, stage.from.at);
    for (const instruction of stage.instructions) evaluate(state, instruction);
    for (const need of needs) this.visit(need);
    const plan = this.#finish(index, base, state, { platform, needs: [...needs], images: [...images] });
    this.#done.set(index, plan);
    return plan;
  }

  #baseConfig(base: StageBase): ImageRunConfig | undefined {
    if (base.kind === "stage") return this.visit(base.index)?.config;
    if (base.kind !== "image") return undefined;
    const config = this.#bases.get(base.reference);
    if (!config) this.missing.add(base.reference);
    return config;
  }

  #finish(
    index: number,
    base: StageBase,
    state: StageState,
    rest: Pick<StagePlan, "platform" | "needs" | "images">,
  ): { plan: StagePlan; config: ImageRunConfig } {
    const { from } = this.#input.file.stages[index]!;
    const plan: StagePlan = {
      index,
      name: this.#stageName(index),
      at: from.at,
      base,
      text: `FROM ${this.#fromScope.text(from.image)}${from.as ? ` AS ${from.as}` : ""}`,
      steps: state.steps,
      config: state.config,
      author: state.author,
      ...rest,
    };
    return { plan, config: state.config };
  }

  plans(): Map<number, StagePlan> {
    return new Map(Array.from(this.#done, ([index, { plan }]) => [index, plan]));
  }
}

/** Everything that instructions name behind --from= and from=: known before any variable is. */
function namesBehindFrom(instructions: Dockerfile["stages"][number]["instructions"]): string[] {
  return instructions.flatMap(instruction => {
    if (instruction.kind === "RUN") return instruction.mounts.flatMap(mount => mount.fields["from"] ?? []);
    return "from" in instruction && instruction.from !== undefined ? [instruction.from] : [];
  });
}

function evaluateTrigger(state: StageState, trigger: string, image: string, at: Position) {
  const { instruction, source } = parseTrigger(trigger, image);
  const own = state.scope;
  state.scope = state.scopeOf(source, "\\");
  evaluate(state, { ...instruction, at });
  state.scope = own;
}

/** Arguments that no ARG of the file takes. */
function unusedArgs(input: PlanInput): string[] {
  const declared = new Set([...proxyArgs, ...builderArgs]);
  const { file } = input;
  for (const arg of file.globals) for (const { name } of arg.args) declared.add(name);
  for (const { instructions } of file.stages) {
    for (const instruction of instructions)
      if (instruction.kind === "ARG") for (const { name } of instruction.args) declared.add(name);
  }
  return Object.keys(input.args).filter(name => !declared.has(name));
}

function readEpoch(input: PlanInput): number | undefined {
  const text = input.args["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw dockerfileError(input.file.source, { line: 1, column: 1 }, `SOURCE_DATE_EPOCH is '${text}'`, {
    hint: "it is seconds since 1970, e.g. $(git log -1 --pretty=%ct)",
  });
}

/**
 * The graph of the build: which stages the target needs, and each of their steps with all variables put in. Pure.
 */
export function planBuild(input: PlanInput, bases: BaseConfigs): Planned {
  const planner = new Planner(input, bases);
  const target = planner.target();
  planner.visit(target);
  if (planner.missing.size > 0) return { kind: "missing", images: [...planner.missing] };
  const plans = planner.plans();
  const goal = plans.get(target)!;
  if (Object.keys(input.labels).length > 0)
    goal.config = { ...goal.config, Labels: { ...goal.config.Labels, ...input.labels } };
  const unused = unusedArgs(input);
  if (unused.length > 0)
    planner.warnings.push({
      message: `no ARG takes the build argument${unused.length > 1 ? "s" : ""} ${unused.join(", ")}`,
    });
  const all = input.file.stages.map((stage, index) => ({ index, name: stage.from.as ?? String(index) }));
  return {
    kind: "plan",
    plan: {
      target,
      stages: [...plans.values()].sort((a, b) => a.index - b.index),
      skipped: all.filter(({ index }) => !plans.has(index)),
      warnings: planner.warnings,
      sourceDateEpoch: readEpoch(input),
    },
  };
}
