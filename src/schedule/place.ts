import { filters } from "./filters.ts";
import type { HostView } from "./host-view.ts";
import { type PlacementRequest, take } from "./request.ts";

export type Placed = { placed: true; view: HostView };
/** A sentence for each kind of refusal: "2 hosts: does not meet …". */
export type Unplaceable = { placed: false; reasons: string[] };

/**
 * Chooses a host for one task and counts it there, so that the next call sees it. Spreads: fewest tasks of the same service first (over the values of the
 * preferred labels, level by level, then over hosts), then fewest tasks in all, then by id. `only` names the one host that may take it (global services).
 */
export function place(request: PlacementRequest, views: HostView[], only?: string): Placed | Unplaceable {
  const refused = new Map<string, string[]>();
  const fit: HostView[] = [];
  for (const view of views) {
    if (only !== undefined && view.host.id !== only) continue;
    const reason = firstRefusal(request, view);
    if (reason === undefined) fit.push(view);
    else refused.set(reason, [...(refused.get(reason) ?? []), view.host.facts.name]);
  }
  if (fit.length === 0) return { placed: false, reasons: sentences(refused) };
  const view = spread(request, fit);
  take(view, request);
  return { placed: true, view };
}

/** Why this host cannot take the task; undefined where it can. */
export function firstRefusal(request: PlacementRequest, view: HostView): string | undefined {
  for (const filter of filters) {
    const reason = filter.refuse(request, view);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function sentences(refused: Map<string, string[]>): string[] {
  if (refused.size === 0) return ["there is no host"];
  return [...refused].map(([reason, hosts]) =>
    hosts.length <= 3 ? `${hosts.join(", ")} ${reason}` : `${hosts.length} hosts: each ${reason}`,
  );
}

function spread(request: PlacementRequest, fit: HostView[]): HostView {
  let candidates = fit;
  for (const label of request.placement.spread) candidates = leastUsedGroup(request, candidates, label);
  const load = (view: HostView) => view.services.get(request.service) ?? 0;
  let best = candidates[0]!;
  for (const view of candidates) {
    const order = load(view) - load(best) || view.tasks - best.tasks || (view.host.id < best.host.id ? -1 : 1);
    if (order < 0) best = view;
  }
  return best;
}

/** The hosts that share the value of `label` under which the service has the fewest tasks. */
function leastUsedGroup(request: PlacementRequest, views: HostView[], label: string): HostView[] {
  const groups = new Map<string, { views: HostView[]; tasks: number }>();
  for (const view of views) {
    const value = labelOf(view, label);
    const group = groups.get(value) ?? { views: [], tasks: 0 };
    group.views.push(view);
    group.tasks += view.services.get(request.service) ?? 0;
    groups.set(value, group);
  }
  const [first] = [...groups].sort(([a, one], [b, other]) => one.tasks - other.tasks || (a < b ? -1 : 1));
  return first![1].views;
}

function labelOf({ host, wish }: HostView, label: string): string {
  if (label.startsWith("node.labels.")) return wish.labels[label.slice("node.labels.".length)] ?? "";
  if (label.startsWith("engine.labels.")) return host.facts.labels[label.slice("engine.labels.".length)] ?? "";
  return wish.labels[label] ?? host.facts.labels[label] ?? "";
}
