import type { FieldChange } from "./differences.ts";

export type StepKind = "image" | "network" | "volume" | "secret" | "config" | "task";

export type StepAction = "keep" | "create" | "replace" | "restart" | "start" | "stop" | "remove" | "pull" | "build";

/** One thing that happens to one thing. */
export interface Step {
  /** "task shop-web-1": kind and name. */
  id: string;
  kind: StepKind;
  action: StepAction;
  name: string;
  /** Why: a sentence part. */
  cause: string;
  /** Of a replaced thing: which fields differ. */
  changes: FieldChange[];
  /** What is lost for good, a sentence part. Absent: nothing is. */
  destroys?: string;
  /** Ids of the steps that come first. */
  after: string[];
  /** Of a task. */
  service?: string;
  slot?: string;
  /** Where the task will run, and why there where that is not plain. */
  host?: string;
}

/** The steps from what is to what is wanted: a DAG, listed so that each step stands after those that it waits for. */
export interface Plan {
  app: string;
  fromVersion?: number;
  toVersion: number;
  steps: Step[];
  /** Sentences about what was asked and will not be done as asked, e.g. an unknown attribute. */
  warnings: string[];
}

export function isNothingToDo(plan: Plan): boolean {
  return plan.steps.every(step => step.action === "keep");
}

export function destructiveSteps(plan: Plan): Step[] {
  return plan.steps.filter(step => step.destroys !== undefined);
}
