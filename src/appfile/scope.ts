import { type Lookup, lookupIn } from "./3-interpolate/template.ts";
import type { Decoder } from "./4-decode/shape.ts";
import type { Budget } from "./budget.ts";
import { limits } from "./limits.ts";
import type { Node } from "./node.ts";
import type { ParamBook } from "./params/book.ts";
import type { Problems } from "./problems.ts";
import type { Reader } from "./reader.ts";

/** What the files of one app, or of one included app, share. */
export interface Scope {
  reader: Reader;
  budget: Budget;
  problems: Problems;
  params: ParamBook;
  homeDirectory: string | undefined;
  /** Absolute: where relative paths start. */
  directory: string;
  environment: Record<string, string>;
  /** "" or "orders.": before the names of parameters declared here. */
  prefix: string;
  /** Values that the including app gives to parameters declared here. */
  bound: Record<string, string>;
  /** Parameters of the including app, where this is a part of it and not an app of its own. */
  outer: Lookup;
  /** Files being included, outermost first. */
  trail: readonly string[];
  /** For extends: what was read out of other files. */
  documents: Map<string, Node[]>;
  /** Whether any `!reset` or `!override` was met, in any file. */
  directives: { seen: boolean };
  /** Names already warned about. */
  unset: Set<string>;
}

export function decoder(scope: Scope, directory = scope.directory): Decoder {
  return {
    problems: scope.problems,
    path: [],
    directory,
    homeDirectory: scope.homeDirectory,
    environment: lookupIn(scope.environment),
    portsLeft: limits.ports,
    budget: scope.budget,
    directives: scope.directives,
  };
}
