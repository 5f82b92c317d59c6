import type { Service } from "../model/service.ts";
import { dependenciesOf } from "../plan/dependencies.ts";
import type { WantedService } from "../plan/wanted.ts";
import type { ClusterState } from "./state.ts";

/** The service as wanted, or, where it is gone from the app, as its tasks have it. */
export function serviceDefinition(state: ClusterState, app: string, name: string): Service | undefined {
  const wanted = state.wantedOf(app).get(name);
  if (wanted) return wanted.service;
  const [entry] = state.tasksOf(app, name);
  return entry && state.version(app, entry.task.version)?.app.services[name];
}

/** Services that this one depends on, as far as they have tasks. */
export function dependenciesWithTasks(state: ClusterState, app: string, name: string): string[] {
  const service = serviceDefinition(state, app, name);
  if (!service) return [];
  const known = state.servicesWithTasks(app);
  return Object.keys(dependenciesOf(service)).filter(other => known.has(other));
}

const dependents = new WeakMap<Map<string, WantedService>, Map<string, string[]>>();

/** Wanted services that depend on this one. */
export function dependentsOf(state: ClusterState, app: string, name: string): string[] {
  const wanted = state.wantedOf(app);
  let known = dependents.get(wanted);
  if (!known) {
    known = new Map();
    for (const [other, { service }] of wanted) {
      for (const dependency of Object.keys(dependenciesOf(service))) {
        known.set(dependency, [...(known.get(dependency) ?? []), other]);
      }
    }
    dependents.set(wanted, known);
  }
  return known.get(name) ?? [];
}
