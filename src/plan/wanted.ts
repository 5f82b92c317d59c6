import type { AppRecord, AppVersion, ServiceWish } from "../model/app-record.ts";
import type { ServiceMode } from "../model/deploy.ts";
import { effectiveVersion, type Rollout } from "../model/rollout.ts";
import type { Service } from "../model/service.ts";
import { hashOf } from "./canonical.ts";
import { dependenciesOf, sharedWith } from "./dependencies.ts";
import { taskSpec } from "./task-spec.ts";

/** A service as it is wanted now: its text in the app file, and what users asked of it since. */
export interface WantedService {
  app: string;
  name: string;
  version: number;
  service: Service;
  mode: ServiceMode;
  /** Of a replicated service or job. */
  replicas: number;
  /** Of everything that a container is made from: where it differs, a task is replaced. */
  specHash: string;
  /** Generations of the services whose namespaces it shares; "" where it shares none. */
  shared: string;
  /** Differs also after `restart`, and when a dependency with `restart: true` was replaced: such a task is restarted in its container. */
  generation: string;
  imageId?: string;
  state: ServiceWish["state"];
  paused: boolean;
  starts: number;
  forced: number;
  /** Services whose replacement restarts this one, and those whose namespaces it shares. */
  restartsWith: string[];
  sharesWith: string[];
}

/** Looks up a version of an app; undefined where it was collected. */
export type Versions = (number: number) => AppVersion | undefined;

/** The services of an app as wanted now, each after those that it depends on. */
export function wantedServices(
  record: AppRecord,
  versions: Versions,
  rollouts: (service: string) => Rollout | undefined = () => undefined,
): Map<string, WantedService> {
  const wanted = new Map<string, WantedService>();
  const visiting = new Set<string>();
  const add = (name: string): WantedService | undefined => {
    const known = wanted.get(name);
    const wish = record.services[name];
    if (known || !wish || visiting.has(name)) return known;
    const version = versions(effectiveVersion(wish.version, rollouts(name)));
    const service = version?.app.services[name];
    if (!version || !service) return undefined;
    visiting.add(name);
    const dependencies = Object.entries(dependenciesOf(service)).map(
      ([other, dependency]) => [other, dependency, add(other)] as const,
    );
    visiting.delete(name);
    const sharesWith = sharedWith(service);
    const shared = dependencies
      .filter(([other]) => sharesWith.includes(other))
      .map(([, , found]) => found?.generation.slice(0, 16))
      .join("+");
    const hash = specHash(version, name, shared);
    const restarting = dependencies.filter(([, { restart }]) => restart).map(([, , found]) => found?.generation);
    wanted.set(name, {
      app: record.name,
      name,
      version: version.number,
      service,
      mode: service.deploy?.mode ?? "replicated",
      replicas: wish.scale ?? service.deploy?.replicas ?? service.scale ?? 1,
      specHash: hash,
      shared,
      generation: hashOf([hash, wish.forced, restarting]),
      imageId: version.images[name],
      state: record.wanted === "removed" ? "removed" : wish.state,
      paused: wish.paused ?? false,
      starts: wish.starts,
      forced: wish.forced,
      restartsWith: dependencies.filter(([, { restart }]) => restart).map(([other]) => other),
      sharesWith,
    });
    return wanted.get(name);
  };
  for (const name of Object.keys(record.services).sort()) add(name);
  return wanted;
}

const hashes = new WeakMap<AppVersion, Map<string, string>>();

/** What a container of the service in that version is made from; `shared` as in WantedService. */
export function specHash(version: AppVersion, name: string, shared: string): string {
  return taskSpecHash(version, name) + (shared === "" ? "" : `+${shared}`);
}

/** Versions are immutable, so each service is hashed once. */
function taskSpecHash(version: AppVersion, name: string): string {
  let known = hashes.get(version);
  if (!known) hashes.set(version, (known = new Map()));
  let hash = known.get(name);
  if (hash === undefined) known.set(name, (hash = hashOf(taskSpec(version, name))));
  return hash;
}
