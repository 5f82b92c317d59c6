/** x-berth: what Compose lacks. Every other Compose program passes over it. */
import { list, mapOf, scalar } from "../node.ts";
import { keyedBy, listOf, mapOfShape, object, pairs, textOrTexts, withShort } from "./collections.ts";
import { command } from "./commands.ts";
import { hostPath } from "./paths.ts";
import { anyText, bool, duration, integer, oneOf, refuse, scalarText, text } from "./scalars.ts";
import { type Shape, wrong } from "./shape.ts";

/** A value of a parameter as people write it; canonical: text. */
const bound = anyText;

export const param = object(
  "a parameter",
  {},
  {
    type: oneOf("string", "int", "bool", "enum", "secret", "size", "duration"),
    description: text,
    default: anyText,
    values: listOf(anyText),
    pattern: text,
    min: bound,
    max: bound,
    hidden: bool,
  },
);

/** A name that `${…}` can hold. */
export const paramNames = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** The Compose schema lets nothing more into an include; what Berth adds stands elsewhere, so that the file stays a Compose file. */
const elsewhere: Shape<never> = {
  expected: "nothing",
  decode: (node, to) =>
    refuse(node, to, "cannot stand here", "write it under x-berth.include at the top, with name and params"),
};

const nestedKeys = { project_directory: hostPath, env_file: textOrTexts };

/** include, and x-berth.include with a name and parameters of its own. */
export const include = listOf(
  withShort(
    object("an include", { path: textOrTexts }, { ...nestedKeys, "x-berth": elsewhere }),
    "a path, or a mapping",
    (node, to) =>
      node.kind === "scalar" && typeof node.value === "string"
        ? mapOf({ path: list([node], node.at) }, node.at)
        : wrong(node, to, "a path, or a mapping"),
  ),
  { duplicates: true },
);

const nestedInclude = listOf(
  object("an include", { path: textOrTexts }, { ...nestedKeys, name: text, params: pairs("parameters", "empty") }),
  { keyOf: keyedBy("name") },
);

export const berthTop = object(
  "x-berth",
  {},
  {
    params: mapOfShape("parameters", orEmpty(param), paramNames),
    include: nestedInclude,
  },
);

/** A thing of which nothing need be said: `name:` alone declares it. */
export function orEmpty<T>(shape: Shape<T>): Shape<T> {
  return {
    ...shape,
    takesNull: true,
    decode: (node, to) => shape.decode(node.kind === "scalar" && node.value === null ? mapOf({}, node.at) : node, to),
  };
}

const longSchedule = object(
  "a schedule",
  { cron: text },
  {
    time_zone: text,
    overlap: oneOf("forbid", "allow", "replace"),
    starting_deadline: duration,
    keep_succeeded: integer(0, 1_000),
    keep_failed: integer(0, 1_000),
    suspended: bool,
  },
);

const hostHook = withShort(
  object("a host hook", { command }, { timeout: duration, environment: pairs("variables", "empty") }),
  "a command line, or a mapping",
  node => mapOf({ command: node }, node.at),
);

/** services.*.x-berth */
export const berthService = object(
  "x-berth of a service",
  {},
  {
    schedule: withShort(longSchedule, "a cron expression, or a mapping", (node, to) =>
      node.kind === "scalar" && typeof node.value === "string"
        ? mapOf({ cron: scalar(scalarText(node.value), node.at) }, node.at)
        : wrong(node, to, "a cron expression, or a mapping"),
    ),
    host_hooks: object("host_hooks", {}, { before_start: listOf(hostHook), after_stop: listOf(hostHook) }),
  },
);
