import { stringify } from "yaml";
import { BerthError } from "../../base/errors.ts";
import type { AppParam, ParamSpec } from "../../model/app.ts";
import { parseYaml } from "../2-parse/parse-yaml.ts";
import { scalarText } from "../4-decode/scalars.ts";
import type { Node } from "../node.ts";
import { Problems } from "../problems.ts";

/**
 * An answers file: a YAML mapping from parameters to values, those of nested apps nested or with dots. Result by full name.
 * Throws `invalid` with the place of what is wrong.
 */
export function parseAnswers(path: string, text: string): Record<string, string> {
  const problems = new Problems();
  const [document] = parseYaml({ path, text }, problems);
  const answers: Record<string, string> = {};
  const visit = (node: Node, name: string): void => {
    if (node.kind === "map") {
      for (const [key, { value }] of node.entries) visit(value, name === "" ? key : `${name}.${key}`);
    } else if (node.kind === "list" || name === "")
      problems.add(node.at, [name], "an answers file is a mapping from parameters to values");
    else if (node.value !== null) answers[name] = scalarText(node.value);
  };
  if (document) visit(document, "");
  problems.throwIfAny();
  return answers;
}

export interface WriteAnswersOptions {
  /** Values of secrets, by full name; left out unless given. */
  secrets?: Record<string, string>;
}

/** The answers file that loads the app with the same values again, commented. Secrets stand there without a value. */
export function writeAnswers(
  params: readonly (AppParam | ParamSpec)[],
  { secrets = {} }: WriteAnswersOptions = {},
): string {
  const lines: string[] = ["# Answers to the parameters of the app. Use with --answers FILE."];
  for (const param of params) {
    if (param.hidden && !("value" in param && param.source !== "default")) continue;
    if (param.description) lines.push("", ...param.description.split("\n").map(line => `# ${line}`));
    else lines.push("");
    const kind = param.type === "enum" ? `one of ${(param.values ?? []).join(", ")}` : param.type;
    const value =
      param.type === "secret" ? secrets[param.name] : (("value" in param ? param.value : undefined) ?? param.default);
    if (value === undefined) lines.push(`# ${param.name}:  # ${kind}`);
    else
      lines.push(
        `${stringify({ [param.name]: value }, { lineWidth: 0 }).trimEnd()}${value.includes("\n") ? "" : `  # ${kind}`}`,
      );
  }
  return `${lines.join("\n")}\n`;
}

/** `name=value` of --set. Throws `invalid`. */
export function parseSet(pairs: readonly string[]): Record<string, string> {
  const set: Record<string, string> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    if (equals < 1) throw new BerthError("invalid", `reading --set ${pair}: it is not NAME=VALUE`);
    set[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return set;
}
