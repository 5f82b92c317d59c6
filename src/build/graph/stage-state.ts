import type { ImageRunConfig, Platform } from "../../model/image.ts";
import type { BuildNetwork } from "../../ports/build.ts";
import type { Raw } from "../dockerfile/instruction.ts";
import type { Dockerfile } from "../dockerfile/parse.ts";
import type { SourceText } from "../dockerfile/source.ts";
import { defaultShell, envMap, inheritConfig } from "./config.ts";
import { Scope } from "./scope.ts";
import type { FileSource, Step } from "./steps.ts";

/** What planning needs to know beside the Dockerfile; all of it values. */
export interface PlanInput {
  file: Dockerfile;
  args: Readonly<Record<string, string>>;
  target?: string;
  /** Names of contexts that hold files, and references of those that are images. */
  contexts: ReadonlyMap<string, { image?: string }>;
  host: Platform;
  platform: Platform;
  network: BuildNetwork;
  labels: Readonly<Record<string, string>>;
}

/** A stage while its instructions are read one after another. */
export interface StageState {
  plan: PlanInput;
  globals: ReadonlyMap<string, string>;
  /** Environment of base and ENV so far. */
  env: Map<string, string>;
  /** ARGs declared so far that have a value. */
  args: Map<string, string>;
  /** All ARG names declared so far. */
  declared: Set<string>;
  config: ImageRunConfig;
  author?: string;
  /** CMD was given in this stage: a later ENTRYPOINT then keeps it. */
  hasCommand: boolean;
  steps: Step[];
  scope: Scope;
  /** The same variables, with another text to point into: triggers of the base image. */
  scopeOf: (source: SourceText, escapeChar: "\\" | "`") => Scope;
  warn: (message: string, line?: number) => void;
  /** What a name behind --from= or from= stands for. */
  source: (name: string, at: Raw["at"]) => FileSource;
}

export function startStage(
  plan: PlanInput,
  globals: ReadonlyMap<string, string>,
  base: ImageRunConfig | undefined,
  links: Pick<StageState, "warn" | "source">,
): StageState {
  const config = inheritConfig(base);
  const env = envMap(config.Env);
  const args = new Map<string, string>();
  const declared = new Set<string>();
  const onUnset = (name: string, word: Raw) => {
    if (/^[A-Za-z_]\w*$/.test(name) && !declared.has(name) && !/\$\{\w+[:+-]/.test(word.text)) {
      links.warn(`the variable $${name} is not set here`, word.at.line);
    }
  };
  const variables = (name: string) => env.get(name) ?? args.get(name);
  const scopeOf = (source: SourceText, escapeChar: "\\" | "`") => new Scope(source, escapeChar, variables, onUnset);
  const scope = scopeOf(plan.file.source, plan.file.directives.escape);
  return { plan, globals, env, args, declared, config, hasCommand: false, steps: [], scope, scopeOf, ...links };
}

export function shellOf(state: StageState): string[] {
  return state.config.Shell ?? defaultShell;
}

/** What RUN sees: arguments, with the environment over them. */
export function runEnvironment(state: StageState): Map<string, string> {
  const merged = new Map(state.args);
  for (const [name, value] of state.env) {
    merged.delete(name);
    merged.set(name, value);
  }
  return merged;
}
