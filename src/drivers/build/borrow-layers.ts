import { existsSync, lstatSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { chainIds } from "../../image/layer/chain-id.ts";
import type { LayerRecord } from "../overlay/layer-records.ts";
import { hexOf, StoreLayout } from "../overlay/store-layout.ts";

function makeLink(target: string, path: string) {
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  symlinkSync(target, path);
}

/**
 * Shows the unpacked layers of one store in another that has none of its own yet: links to their directories, under the same short names. The borrowing store
 * never writes into a layer, and removing one from it removes the link. Layers that are not unpacked in `from` are left for the store to unpack itself.
 */
export function borrowLayers(from: string, to: string, diffIds: readonly string[]): void {
  const base = new StoreLayout(from);
  const own = new StoreLayout(to);
  own.make();
  for (const chainId of chainIds(diffIds)) {
    const record = join(base.layer(chainId), "layer.json");
    if (existsSync(own.layer(chainId)) || !existsSync(record)) continue;
    const { link } = JSON.parse(readFileSync(record, "utf8")) as LayerRecord;
    const name = join(own.links, link);
    // The name is taken where this store has unpacked layers already: then it unpacks this one too.
    if (lstatSync(name, { throwIfNoEntry: false })) return;
    makeLink(`../layers/${hexOf(chainId)}/diff`, name);
    makeLink(base.layer(chainId), own.layer(chainId));
  }
}
