import { createHash } from "node:crypto";
import { chainIds } from "../../image/layer/chain-id.ts";
import type { CopyStep, RunStep } from "../graph/steps.ts";

/** Raise when a step's result would be another one than before. */
const version = 1;

/** Hash of a value's JSON; objects must be built with their keys in one order. */
export function hashOf(...parts: unknown[]): string {
  return createHash("sha256")
    .update(JSON.stringify([version, ...parts]))
    .digest("hex");
}

/** Identity of a stack of layers; "" of none. */
export function chainOf(diffIds: readonly string[]): string {
  return chainIds(diffIds).at(-1) ?? "";
}

/**
 * Everything that a RUN's result can depend on and that we can know: the root under it, what it executes and with which environment, and the content
 * of what is mounted. Caches, secrets, agents and proxies are left out on purpose.
 */
export function runKey(
  parent: string,
  step: RunStep,
  mountDigests: readonly string[],
  epoch: number | undefined,
): string {
  const mounts = step.mounts.map(({ kind, target, source, readOnly, id, env, mode, uid, gid }, i) => [
    ...[kind, target, source, readOnly, id, env ?? "", mode ?? -1, uid, gid, mountDigests[i] ?? ""],
  ]);
  return hashOf(
    "run",
    parent,
    step.args,
    step.env,
    step.workingDir,
    step.user,
    step.network,
    mounts,
    step.script?.text ?? "",
    epoch ?? -1,
  );
}

/** `inputs` is the digest of what is copied; a linked layer does not know what it lies on. */
export function copyKey(parent: string, step: CopyStep, inputs: string, epoch: number | undefined): string {
  const { destination, chown, chmod, link, parents, isAdd, unpack } = step;
  return hashOf(
    "copy",
    link ? "" : parent,
    destination,
    chown ?? "",
    chmod ?? "",
    parents,
    isAdd,
    unpack ?? "auto",
    inputs,
    epoch ?? -1,
  );
}

export function workdirKey(parent: string, path: string, epoch: number | undefined): string {
  return hashOf("workdir", parent, path, epoch ?? -1);
}
