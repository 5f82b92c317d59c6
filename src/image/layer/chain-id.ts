import { createHash } from "node:crypto";

/**
 * Identifies a layer together with all layers below it (OCI image-spec, config.md, "Layer ChainID"):
 * the first diff id as it is, then sha256 of "<chain id below> <diff id>".
 */
export function nextChainId(below: string | undefined, diffId: string): string {
  if (below === undefined) return diffId;
  return `sha256:${createHash("sha256").update(`${below} ${diffId}`).digest("hex")}`;
}

/** Chain ids of a stack, lowest first: one for each diff id. */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) chain.push(nextChainId(chain.at(-1), diffId));
  return chain;
}
