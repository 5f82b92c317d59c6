import type { ContainerSummary } from "../../model/container.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Filters } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { containerTests } from "./container-filters.ts";
import { summarize } from "./inspect-container.ts";

export interface ListOptions extends CallOptions {
  /** Also those that do not run; implied by a limit and by filters on status. */
  all?: boolean;
  filters?: Filters;
  /** The newest so many, running or not. */
  limit?: number;
}

/** Newest first. */
export async function listContainers(context: EngineContext, options: ListOptions = {}): Promise<ContainerSummary[]> {
  const filters = options.filters ?? {};
  const test = await containerTests(context, filters, options);
  const all = options.all || options.limit !== undefined || "status" in filters || "exited" in filters;
  const found: ContainerSummary[] = [];
  for (const id of context.store.ids()) {
    options.signal?.throwIfAborted();
    const config = context.store.tryConfig(id);
    if (config === undefined) continue;
    const summary = summarize(context, config);
    if ((all || isUp(summary)) && test(summary)) found.push(summary);
  }
  found.sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : a.id < b.id ? 1 : -1));
  return options.limit ? found.slice(0, options.limit) : found;
}

function isUp({ state }: ContainerSummary): boolean {
  return state.status === "running" || state.status === "paused" || state.status === "restarting";
}
