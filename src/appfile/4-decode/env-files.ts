import { mapOf, scalar } from "../node.ts";
import { keyedBy, listOf, object, withShort } from "./collections.ts";
import { hostPath } from "./paths.ts";
import { bool, oneOf } from "./scalars.ts";
import { wrong } from "./shape.ts";

const longEnvFile = object("an env file", { path: hostPath }, { required: bool, format: oneOf("raw") });

export const envFiles = listOf(
  withShort(longEnvFile, "the path of an env file, or a mapping", (node, to) =>
    node.kind === "scalar" && typeof node.value === "string"
      ? mapOf({ path: node, required: scalar(true, node.at) }, node.at)
      : wrong(node, to, "the path of an env file, or a mapping"),
  ),
  { single: true, keyOf: keyedBy("path") },
);

export const labelFiles = listOf(hostPath, { single: true });
