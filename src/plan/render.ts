import { describeChange } from "./differences.ts";
import { destructiveSteps, isNothingToDo, type Plan, type Step } from "./plan.ts";

/** The plan as people read it: the dry run, the log and the tests' oracle. Ends with a newline. */
export function renderPlan(plan: Plan, options: { keep?: boolean } = {}): string {
  const lines = [headline(plan), ...plan.warnings.map(warning => `warning: ${warning}`)];
  const shown = plan.steps.filter(step => options.keep !== false || step.action !== "keep");
  const actionWidth = width(shown.map(({ action }) => action));
  const kindWidth = width(shown.map(({ kind }) => kind));
  const nameWidth = width(shown.map(({ name }) => name));
  for (const step of shown) {
    const mark = step.destroys === undefined ? " " : "!";
    const columns = [step.action.padEnd(actionWidth), step.kind.padEnd(kindWidth), step.name.padEnd(nameWidth)];
    lines.push(`${mark} ${columns.join("  ")}  ${step.cause}${hostText(step)}`.trimEnd());
    for (const change of step.changes) lines.push(`      ${describeChange(change)}`);
    if (step.destroys !== undefined) lines.push(`      destroys ${step.destroys}`);
  }
  lines.push(summary(plan));
  return `${lines.join("\n")}\n`;
}

function headline(plan: Plan): string {
  if (isNothingToDo(plan)) return `${plan.app}: nothing to do`;
  const from = plan.fromVersion === undefined ? "new" : `version ${plan.fromVersion}`;
  return plan.fromVersion === plan.toVersion
    ? `${plan.app}: version ${plan.toVersion}`
    : `${plan.app}: ${from} -> version ${plan.toVersion}`;
}

function hostText(step: Step): string {
  return step.host === undefined || step.action === "keep" ? "" : `, on ${step.host}`;
}

/** "2 to create, 1 to replace, 3 kept; nothing is destroyed" */
export function summary(plan: Plan): string {
  const counts = new Map<string, number>();
  for (const { action } of plan.steps) counts.set(action, (counts.get(action) ?? 0) + 1);
  const kept = counts.get("keep") ?? 0;
  counts.delete("keep");
  const parts = [...counts].map(([action, count]) => `${count} to ${action}`);
  if (kept > 0) parts.push(`${kept} kept`);
  const destroyed = destructiveSteps(plan).map(step => step.destroys);
  return `${parts.join(", ") || "nothing"}; ${destroyed.length === 0 ? "nothing is destroyed" : `DESTROYS ${destroyed.join(", ")}`}`;
}

function width(texts: string[]): number {
  return Math.max(0, ...texts.map(text => text.length));
}
