import type { Json } from "../model/service.ts";
import type { Node } from "./node.ts";

/** The values alone, without their positions. */
export function toPlain(node: Node): Json {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toPlain);
  const plain: Record<string, Json> = {};
  for (const [key, { value }] of node.entries) {
    // A key such as __proto__ must become a key, not a prototype.
    if (key === "__proto__")
      Object.defineProperty(plain, key, {
        value: toPlain(value),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    else plain[key] = toPlain(value);
  }
  return plain;
}
