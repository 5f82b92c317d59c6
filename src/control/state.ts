import type { AppOutcome, AppRecord, AppVersion } from "../model/app-record.ts";
import type { Host, HostWish } from "../model/host.ts";
import type { NetworkRecord, ResourceStatus, VolumeRecord } from "../model/records.ts";
import type { Rollout } from "../model/rollout.ts";
import type { ScheduleState } from "../model/schedule-state.ts";
import type { Task, TaskStatus } from "../model/task.ts";
import type { SlotTask, SpecHashOf } from "../plan/slots.ts";
import { specHash, type Versions, type WantedService, wantedServices } from "../plan/wanted.ts";
import type { Change } from "../ports/store.ts";
import { type Kind, keys, splitKey } from "./keys.ts";

export interface StateChange {
  kind: Kind;
  /** The key without its prefix. */
  name: string;
  /** For tasks and statuses: the task, before the change or after it. */
  task?: Task;
}

/** A service's tasks are looked up by this. */
export function serviceKey(app: string, service: string): string {
  return `${app}/${service}`;
}

/**
 * The store's content in memory, kept up to date from its watch. Loops and answers to users read it, and never change it: they write to the store, and
 * the watch brings it here. (Secrets and locks are not kept.)
 */
export class ClusterState {
  readonly apps = new Map<string, AppRecord>();
  readonly outcomes = new Map<string, AppOutcome>();
  readonly tasks = new Map<string, Task>();
  readonly statuses = new Map<string, TaskStatus>();
  readonly rollouts = new Map<string, Rollout>();
  readonly schedules = new Map<string, ScheduleState>();
  readonly hosts = new Map<string, Host>();
  readonly hostWishes = new Map<string, HostWish>();
  readonly networks = new Map<string, NetworkRecord>();
  readonly volumes = new Map<string, VolumeRecord>();
  /** By "host/name". */
  readonly hostNetworks = new Map<string, ResourceStatus>();
  readonly hostVolumes = new Map<string, ResourceStatus>();
  /** By "app/00000012". */
  readonly versions = new Map<string, AppVersion>();
  /** Names of stored files: their contents stay in the store. */
  readonly files = new Map<string, { app?: string }>();
  readonly locks = new Map<string, unknown>();
  revision = 0;

  readonly #maps: Record<Kind, Map<string, never>> = {
    app: this.apps as Map<string, never>,
    version: this.versions as Map<string, never>,
    outcome: this.outcomes as Map<string, never>,
    task: this.tasks as Map<string, never>,
    status: this.statuses as Map<string, never>,
    rollout: this.rollouts as Map<string, never>,
    schedule: this.schedules as Map<string, never>,
    host: this.hosts as Map<string, never>,
    hostWish: this.hostWishes as Map<string, never>,
    network: this.networks as Map<string, never>,
    volume: this.volumes as Map<string, never>,
    hostNetwork: this.hostNetworks as Map<string, never>,
    hostVolume: this.hostVolumes as Map<string, never>,
    file: this.files as Map<string, never>,
    lock: this.locks as Map<string, never>,
  };
  readonly #revisions = new Map<string, number>();
  readonly #tasksOfService = new Map<string, Set<string>>();
  /** Answers of `tasksOf` until the next change: after each, several loops ask the same. */
  readonly #entries = new Map<string, readonly SlotTask[]>();
  readonly #servicesOfApp = new Map<string, Set<string>>();
  readonly #wanted = new WeakMap<AppRecord, { rollouts: string; services: Map<string, WantedService> }>();
  readonly #target = new WeakMap<AppRecord, Map<string, WantedService>>();

  /** modRevision of a key, for comparisons; 0 where it does not exist. */
  revisionOf(key: string): number {
    return this.#revisions.get(key) ?? 0;
  }

  apply(change: Change): StateChange | undefined {
    const key = change.type === "put" ? change.entry.key : change.key;
    const split = splitKey(key);
    if (!split) return undefined;
    const [kind, name] = split;
    const map = this.#mapOf(kind);
    const taskBefore = this.#taskOf(kind, name);
    if (change.type === "delete") {
      this.#revisions.delete(key);
      map.delete(name);
      if (kind === "task" && taskBefore) this.#unindex(taskBefore);
    } else {
      this.#revisions.set(key, change.entry.modRevision);
      const value: unknown = JSON.parse(change.entry.value);
      map.set(name, kind === "file" ? { app: (value as { app?: string }).app } : value);
      if (kind === "task") this.#index(this.tasks.get(name)!);
    }
    const task = this.#taskOf(kind, name) ?? taskBefore;
    if (task) this.#entries.delete(serviceKey(task.app, task.service));
    return { kind, name, task };
  }

  version(app: string, number: number): AppVersion | undefined {
    return this.versions.get(keys.version(app, number).slice("version/".length));
  }

  versionsOf(app: string): Versions {
    return number => this.version(app, number);
  }

  /** All versions of an app that are kept, oldest first. */
  history(app: string): AppVersion[] {
    const prefix = `${app}/`;
    return [...this.versions]
      .filter(([name]) => name.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, version]) => version);
  }

  /** Services as they are to be now, rollbacks considered. */
  wantedOf(app: string): Map<string, WantedService> {
    const record = this.apps.get(app);
    if (!record) return new Map();
    const rollouts = Object.keys(record.services)
      .map(service => this.rollouts.get(serviceKey(app, service)))
      .map(rollout => (rollout ? `${rollout.version}${rollout.state}${rollout.fromVersion}` : ""))
      .join();
    const known = this.#wanted.get(record);
    if (known?.rollouts === rollouts) return known.services;
    const services = wantedServices(record, this.versionsOf(app), service =>
      this.rollouts.get(serviceKey(app, service)),
    );
    this.#wanted.set(record, { rollouts, services });
    return services;
  }

  /** Services as the app record says, without regard to rollbacks. */
  targetOf(app: string): Map<string, WantedService> {
    const record = this.apps.get(app);
    if (!record) return new Map();
    let services = this.#target.get(record);
    if (!services) this.#target.set(record, (services = wantedServices(record, this.versionsOf(app))));
    return services;
  }

  tasksOf(app: string, service: string): readonly SlotTask[] {
    const key = serviceKey(app, service);
    const known = this.#entries.get(key);
    if (known) return known;
    const entries = [...(this.#tasksOfService.get(key) ?? [])].map(id => this.taskWithStatus(id));
    this.#entries.set(key, entries);
    return entries;
  }

  tasksOfApp(app: string): SlotTask[] {
    return [...this.servicesWithTasks(app)].flatMap(service => this.tasksOf(app, service));
  }

  /** Names of services of which there are task records. */
  servicesWithTasks(app: string): Set<string> {
    return this.#servicesOfApp.get(app) ?? new Set();
  }

  taskWithStatus(id: string): SlotTask {
    return { task: this.tasks.get(id)!, status: this.statuses.get(id) };
  }

  /** What a task was made from, hashed as today's services are, so that the two compare. */
  specHashOf: SpecHashOf = task => {
    const version = this.version(task.app, task.version);
    return version && specHash(version, task.service, task.shared);
  };

  #mapOf(kind: Kind): Map<string, unknown> {
    return this.#maps[kind] as Map<string, unknown>;
  }

  #taskOf(kind: Kind, name: string): Task | undefined {
    return kind === "task" || kind === "status" ? this.tasks.get(name) : undefined;
  }

  #index(task: Task): void {
    const key = serviceKey(task.app, task.service);
    const ids = this.#tasksOfService.get(key);
    if (ids) ids.add(task.id);
    else this.#tasksOfService.set(key, new Set([task.id]));
    const services = this.#servicesOfApp.get(task.app);
    if (services) services.add(task.service);
    else this.#servicesOfApp.set(task.app, new Set([task.service]));
  }

  #unindex(task: Task): void {
    const key = serviceKey(task.app, task.service);
    const ids = this.#tasksOfService.get(key);
    ids?.delete(task.id);
    if (ids?.size !== 0) return;
    this.#tasksOfService.delete(key);
    this.#servicesOfApp.get(task.app)?.delete(task.service);
  }
}
