import { list, scalar } from "../node.ts";
import { object, words } from "./collections.ts";
import { bool, duration, integer } from "./scalars.ts";
import { type Shape, wrong } from "./shape.ts";
import { shellWords } from "./shell-words.ts";

/** A command line, split into words as a shell does, or a list of words. A later one replaces an earlier one. */
export const command: Shape<string[]> = {
  expected: "a command line, or a list of words",
  decode(node, to) {
    if (node.kind === "list") return words.decode(node, to);
    if (node.kind !== "scalar" || typeof node.value !== "string") return wrong(node, to, command.expected);
    const split = shellWords(node.value);
    if (!split) return wrong(node, to, "a command line whose quotes are closed");
    return list(
      split.map(word => scalar(word, node.at)),
      node.at,
    );
  },
};

/** healthcheck.test: text is for the shell. */
const healthTest: Shape<string[]> = {
  expected: "a command line, or a list that starts with NONE, CMD or CMD-SHELL",
  decode(node, to) {
    if (node.kind === "scalar" && typeof node.value === "string") {
      return list([scalar("CMD-SHELL", node.at), node], node.at);
    }
    if (node.kind !== "list") return wrong(node, to, healthTest.expected);
    const decoded = words.decode(node, to);
    if (decoded?.kind !== "list") return undefined;
    const [first] = decoded.items;
    if (!first) return decoded;
    if (first.kind === "scalar" && ["NONE", "CMD", "CMD-SHELL"].includes(String(first.value))) return decoded;
    return wrong(first, to, "NONE, CMD or CMD-SHELL as the first word");
  },
};

export const healthcheck = object(
  "a health check",
  {},
  {
    disable: bool,
    test: healthTest,
    interval: duration,
    timeout: duration,
    retries: integer(0),
    start_period: duration,
    start_interval: duration,
  },
);
