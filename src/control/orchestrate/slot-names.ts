import type { WantedService } from "../../plan/wanted.ts";
import { checkConstraint, parseConstraint } from "../../schedule/constraint.ts";
import { emptyView, noWish } from "../../schedule/host-view.ts";
import type { ClusterState } from "../state.ts";

/** The slots that a service is to have: numbers, or hosts for a global one. A scheduled service has those of its runs, which the schedule makes. */
export function slotNames(state: ClusterState, wanted: WantedService): string[] {
  if (wanted.service.schedule) {
    const runs = state.tasksOf(wanted.app, wanted.name).filter(({ task }) => task.wanted !== "removed");
    return [...new Set(runs.map(({ task }) => task.slot))];
  }
  if (wanted.mode === "global" || wanted.mode === "global-job") {
    return [...state.hosts.values()].filter(host => takes(state, wanted, host.id)).map(host => host.id);
  }
  return Array.from({ length: wanted.replicas }, (_, index) => String(index + 1));
}

/** A host that is down keeps its task: whether it comes back is not decided here. */
function takes(state: ClusterState, wanted: WantedService, id: string): boolean {
  const wish = state.hostWishes.get(id) ?? noWish;
  if (wish.availability === "drain") return false;
  const view = emptyView(state.hosts.get(id)!, wish);
  const constraints = wanted.service.deploy?.placement?.constraints ?? [];
  return constraints.every(text => checkConstraint(parseConstraint(text), view) === undefined);
}
