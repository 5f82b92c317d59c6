import type { Node } from "../node.ts";
import { object, options } from "./collections.ts";
import { text } from "./scalars.ts";

const loggingShape = object("logging", {}, { driver: text, options: options("options") });
/** Options merge only for the same driver, or where one of the two names none. */
export const logging: typeof loggingShape = {
  ...loggingShape,
  merge(base, over) {
    const driver = (node: Node) => {
      const value = node.kind === "map" ? node.entries.get("driver")?.value : undefined;
      return value?.kind === "scalar" ? value.value : undefined;
    };
    const [before, after] = [driver(base), driver(over)];
    return before === after || before === undefined || after === undefined ? loggingShape.merge!(base, over) : over;
  },
};
