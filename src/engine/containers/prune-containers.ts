import { BerthError, isCode } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Filters } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { filterTime_ms } from "../filters/filter-time.ts";
import { matchesLabelFilters } from "../filters/labels.ts";
import { listContainers } from "../inspect/list-containers.ts";
import { removeContainer } from "./remove-container.ts";

const pruneFilters = new Set(["until", "label", "label!"]);

/** Removes every container that does not run. */
export async function pruneContainers(
  context: EngineContext,
  { filters = {}, signal }: CallOptions & { filters?: Filters },
): Promise<{ removed: string[]; reclaimed_bytes: number }> {
  checkPruneFilters(filters, pruneFilters);
  const until_ms = pruneUntil_ms(filters, context.clock.now_ms());
  const result = { removed: [] as string[], reclaimed_bytes: 0 };
  for (const { id, state, labels, createdAt } of await listContainers(context, { all: true, signal })) {
    if (!["created", "exited", "dead"].includes(state.status)) continue;
    if (Date.parse(createdAt) > until_ms || !matchesLabelFilters(labels, filters)) continue;
    try {
      const size_bytes = await context.layers.changesSize(id, { signal });
      await removeContainer(context, id, { signal });
      result.removed.push(id);
      result.reclaimed_bytes += size_bytes;
    } catch (thrown) {
      // Started or removed meanwhile by somebody else: not ours any more.
      if (!isCode(thrown, "conflict", "not_found")) throw thrown;
    }
  }
  return result;
}

export function pruneUntil_ms(filters: Filters, now_ms: number): number {
  const [until] = filters["until"] ?? [];
  return until === undefined ? Number.POSITIVE_INFINITY : filterTime_ms(until, now_ms);
}

export function checkPruneFilters(filters: Filters, known: Set<string>): void {
  for (const key of Object.keys(filters)) {
    if (known.has(key)) continue;
    throw new BerthError("invalid", `this prune has no filter ${JSON.stringify(key)}`, {
      hint: `use ${[...known].join(", ")}`,
    });
  }
}
