import { posix } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { LayerEntry } from "./layer-entry.ts";
import type { LayerPlan } from "./layer-plan.ts";
import type { Owner } from "./owner.ts";

/** Puts an archive's entries below `destination`, through the links of the image, as tar would in the image itself. */
export function placeArchive(
  plan: LayerPlan,
  entries: readonly LayerEntry[],
  options: { destination: string; owner?: Owner; mtime_s?: (mtime_s: number) => number },
) {
  const { owner } = options;
  const target = plan.directory(options.destination, owner);
  const places = new Map<string, string>();
  for (const entry of entries) {
    if (entry.path === "") continue;
    const parent = plan.directory(posix.join(target, posix.dirname(entry.path)), owner);
    const own = posix.join(parent, posix.basename(entry.path));
    const there = plan.resolve(own);
    const path = entry.type === "directory" && there.stat?.isDirectory() ? there.path : own;
    places.set(entry.path, path);
    if (entry.type === "hardlink") {
      linkTo(plan, path, entry, places.get(entry.linkName!));
      continue;
    }
    plan.put({ ...entry, path, ...owner, mtime_s: options.mtime_s?.(entry.mtime_s) ?? entry.mtime_s });
  }
}

/** The plan makes links again of files with one identity, whichever of them comes first in the layer. */
function linkTo(plan: LayerPlan, path: string, entry: LayerEntry, linked: string | undefined) {
  const original = linked === undefined ? undefined : plan.entry(linked);
  if (!original || linked === undefined) {
    throw new BerthError(
      "corrupt",
      `unpacking: ${entry.path} is a hard link to ${entry.linkName}, which does not come before it`,
    );
  }
  const identity = original.identity ?? `archive:${linked}`;
  if (original.identity === undefined) plan.put({ ...original, identity });
  plan.put({ ...original, path, identity });
}
