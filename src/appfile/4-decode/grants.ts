import { mapOf, type Node } from "../node.ts";
import { listOf, object, withShort } from "./collections.ts";
import { fileMode, numberedText, text } from "./scalars.ts";
import { wrong } from "./shape.ts";

const longGrant = object(
  "a grant",
  { source: text },
  { target: text, uid: numberedText, gid: numberedText, mode: fileMode },
);

const grant = withShort(longGrant, "the name of a secret or config, or a mapping", (node, to) =>
  node.kind === "scalar" && typeof node.value === "string"
    ? mapOf({ source: node }, node.at)
    : wrong(node, to, "the name of a secret or config, or a mapping"),
);

/** By target as written: "db_password" and "/run/secrets/db_password" of a secret are one. */
function targetKey(directory: string) {
  return (item: Node): string | undefined => {
    const field = (key: string) => {
      const value = item.kind === "map" ? item.entries.get(key)?.value : undefined;
      return value?.kind === "scalar" ? String(value.value) : undefined;
    };
    const target = field("target") ?? field("source");
    return target?.startsWith("/") || target === undefined ? target : `${directory}/${target}`;
  };
}

export const secretGrants = listOf(grant, { keyOf: targetKey("/run/secrets") });
export const configGrants = listOf(grant, { keyOf: targetKey("") });
