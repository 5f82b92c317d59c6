import type { NetworkRecord, VolumeRecord } from "../../model/records.ts";
import { hasStopped } from "../../model/task.ts";
import { wantedNetworks, wantedVolumes } from "../../plan/resources.ts";
import { usedVolumes } from "../../plan/task-spec.ts";
import { keys } from "../keys.ts";
import { type Loop, put, remove, type TickResult } from "../loop.ts";
import type { ClusterState } from "../state.ts";

/** Keeps the records of an app's networks and volumes: hosts make and remove theirs by them. */
export const allocate: Loop = {
  name: "allocate",

  *concerns({ kind, name, task }, state) {
    if (task && state.networks.size + state.volumes.size > 0) yield task.app;
    if (kind === "app" || kind === "rollout") yield name.split("/")[0]!;
    if (kind === "hostNetwork" || kind === "hostVolume") {
      const resource = name.slice(name.indexOf("/") + 1);
      const app = (kind === "hostNetwork" ? state.networks : state.volumes).get(resource)?.app;
      if (app !== undefined) yield app;
    }
  },

  *all(state) {
    yield* state.apps.keys();
    for (const { app } of [...state.networks.values(), ...state.volumes.values()]) yield app;
  },

  tick(app, { state }) {
    const result: TickResult = { writes: [], wakes: [] };
    const needs = neededBy(state, app);
    const goes = state.apps.get(app)?.wanted === "removed";
    settle(state, result, { ...networkKind(state), app, wanted: needs.networks, used: needs.usedNetworks, goes });
    const volumesGo = goes && (state.apps.get(app)?.removeVolumes ?? false);
    settle(state, result, {
      ...volumeKind(state),
      app,
      wanted: needs.volumes,
      used: needs.usedVolumes,
      goes: volumesGo,
    });
    return result;
  },
};

interface Needs {
  networks: Map<string, NetworkRecord>;
  volumes: Map<string, VolumeRecord>;
  /** Names that tasks hold now. */
  usedNetworks: Set<string>;
  usedVolumes: Set<string>;
}

function neededBy(state: ClusterState, app: string): Needs {
  const needs: Needs = { networks: new Map(), volumes: new Map(), usedNetworks: new Set(), usedVolumes: new Set() };
  for (const { state: wanted, version, name } of state.wantedOf(app).values()) {
    const definition = state.version(app, version)?.app;
    if (!definition || state.apps.get(app)?.wanted === "removed") continue;
    if (wanted !== "removed")
      for (const [key, record] of wantedNetworks(definition, [name])) needs.networks.set(key, record);
    for (const [key, record] of wantedVolumes(definition, [name])) needs.volumes.set(key, record);
  }
  for (const { task, status } of state.tasksOfApp(app)) {
    if (status?.state === "removed" || (hasStopped(task, status) && task.host === undefined)) continue;
    const definition = state.version(app, task.version)?.app;
    const service = definition?.services[task.service];
    if (!definition || !service) continue;
    for (const key of Object.keys(service.networks)) needs.usedNetworks.add(definition.networks[key]?.name ?? key);
    for (const key of usedVolumes(service)) needs.usedVolumes.add(definition.volumes[key]?.name ?? key);
  }
  return needs;
}

/** A volume's definition changes only where a user agreed to lose its data; a network's, always. */
function consent(
  state: ClusterState,
  kind: ResourceKind & { app: string },
  name: string,
  found: { hash: string },
): { replaces?: string } | undefined {
  if (kind.key === keys.network) return {};
  const newest = state.apps.get(kind.app)?.version;
  const agreed = newest !== undefined && state.version(kind.app, newest)?.replaceVolumes?.includes(name);
  return agreed ? { replaces: found.hash } : undefined;
}

type Records = ReadonlyMap<string, NetworkRecord | VolumeRecord>;

interface ResourceKind {
  records: Records;
  statuses: ReadonlyMap<string, { state: string; hash: string }>;
  key: (name: string) => string;
  statusKey: (host: string, name: string) => string;
}

const networkKind = (state: ClusterState): ResourceKind => ({
  records: state.networks,
  statuses: state.hostNetworks,
  key: keys.network,
  statusKey: keys.hostNetwork,
});

const volumeKind = (state: ClusterState): ResourceKind => ({
  records: state.volumes,
  statuses: state.hostVolumes,
  key: keys.volume,
  statusKey: keys.hostVolume,
});

function settle(
  state: ClusterState,
  result: TickResult,
  kind: ResourceKind & { app: string; wanted: Records; used: Set<string>; goes: boolean },
): void {
  for (const [name, record] of kind.wanted) {
    const found = kind.records.get(name);
    // Another app's: it declared the name first, and both share it as Compose projects do.
    if (found && found.app !== kind.app) continue;
    if (found?.hash === record.hash && !found.removing) continue;
    const replaces = found && found.hash !== record.hash ? consent(state, kind, name, found) : {};
    if (replaces) result.writes.push([put(state, kind.key(name), { ...record, ...replaces })]);
  }
  for (const [name, record] of kind.records) {
    if (record.app !== kind.app || kind.wanted.has(name) || kind.used.has(name)) continue;
    const statuses = [...kind.statuses].filter(([key]) => key.endsWith(`/${name}`));
    // Volumes outlive their use: only a removal of the app that asks for it takes them.
    const isVolume = kind.key === keys.volume;
    if (isVolume && !kind.goes) continue;
    if (!record.removing) result.writes.push([put(state, kind.key(name), { ...record, removing: true })]);
    else if (statuses.every(([, { state: is }]) => is !== "present")) {
      const hosts = statuses.map(([key]) => remove(state, kind.statusKey(key.slice(0, key.indexOf("/")), name)));
      result.writes.push([remove(state, kind.key(name)), ...hosts]);
    }
  }
}
