import { limits } from "./limits.ts";
import type { Mark, Node } from "./node.ts";
import { fail } from "./problems.ts";

/** Text that counts as much as one value. */
const lengthOfValue = 32;

/**
 * What one app may come to, all files together: includes of includes, services that extend a large one and env files read again and
 * again multiply what each file's own limits let through.
 */
export class Budget {
  #left: number = limits.values;

  /** Throws `invalid` when the app has become too large. */
  spend(values: number, textLength: number, at: Mark): void {
    this.#left -= values + textLength / lengthOfValue;
    if (this.#left >= 0) return;
    fail(
      at,
      [],
      `with all that it includes and extends, the app has more than ${limits.values} values`,
      "split it into several apps",
    );
  }
}

/** Values in a node, aliases written out. */
export function sizeOf(node: Node): number {
  if (node.kind === "scalar") return 1;
  let size = 1;
  if (node.kind === "list") for (const item of node.items) size += sizeOf(item);
  else for (const { value } of node.entries.values()) size += sizeOf(value);
  return size;
}
