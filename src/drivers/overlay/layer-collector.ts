import { statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { chainIds } from "../../image/layer/chain-id.ts";
import type { LayerRecords } from "./layer-records.ts";
import type { Roots } from "./roots.ts";
import type { StoreLayout } from "./store-layout.ts";

const hour_ms = 3_600_000;

export interface CollectInput {
  used: string[][];
  only?: string[][];
  grace_ms?: number;
}

/** Chain ids of layers that may go, each before those that it stands on. The caller holds the store lock alone. */
export function unneededLayers(
  { layout, records, roots, clock }: { layout: StoreLayout; records: LayerRecords; roots: Roots; clock: Clock },
  { used, only, grace_ms = hour_ms }: CollectInput,
): string[] {
  const needed = new Set(used.flatMap(diffIds => chainIds(diffIds)));
  const need = (chainId: string | undefined) => {
    for (let at = chainId; at !== undefined && !needed.has(at); at = records.read(at)?.parent) needed.add(at);
  };
  for (const id of roots.list()) need(roots.topChain(id));

  const candidates = only === undefined ? records.list() : [...new Set(only.flatMap(diffIds => chainIds(diffIds)))];
  const isFresh = (chainId: string) => {
    const stats = statSync(join(layout.layer(chainId), "layer.json"), { throwIfNoEntry: false });
    return stats !== undefined && clock.now_ms() - stats.mtimeMs < grace_ms;
  };
  // A layer that stays keeps all that it stands on.
  const goes = new Map<string, boolean>();
  for (const chainId of records.list()) {
    const stays = needed.has(chainId) || !candidates.includes(chainId) || (only === undefined && isFresh(chainId));
    goes.set(chainId, !stays);
    if (stays) need(chainId);
  }
  return [...goes].filter(([chainId, isGoing]) => isGoing && !needed.has(chainId)).map(([chainId]) => chainId);
}
