import type { Clock } from "../base/clock.ts";
import { asBerthError, BerthError, isCode } from "../base/errors.ts";
import type { NetworkRecord, ResourceStatus, VolumeRecord } from "../model/records.ts";
import type { Engine } from "../ports/engine.ts";
import type { AssignmentBatch } from "../wire/host-link.ts";
import { appLabel } from "./labels.ts";
import type { Reporter } from "./reporter.ts";

const hashLabel = "com.docker.compose.config-hash";
/** Between tries to make a resource that is still held. */
export const resourceRetry_ms = 500;

type Kind = "network" | "volume";

interface Found {
  hash: string | undefined;
  /** Made by Berth. */
  own: boolean;
}

/** The host's networks and volumes of apps: made when a task first needs them, removed when their records say so. */
export class Resources {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #signal: AbortSignal;
  readonly #networks = new Map<string, NetworkRecord>();
  readonly #volumes = new Map<string, VolumeRecord>();
  /** One change of one thing at a time. */
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #ready = new Map<string, string>();

  constructor(parts: { engine: Engine; clock: Clock; reporter: Reporter; signal: AbortSignal }) {
    this.#engine = parts.engine;
    this.#clock = parts.clock;
    this.#reporter = parts.reporter;
    this.#signal = parts.signal;
  }

  /** Takes in what the server wants, and removes what is to go. */
  update(batch: AssignmentBatch): void {
    if (batch.complete) {
      this.#networks.clear();
      this.#volumes.clear();
    }
    for (const record of batch.networks) this.#take("network", record.spec.name, this.#networks, record);
    for (const record of batch.volumes) this.#take("volume", record.spec.name, this.#volumes, record);
    for (const name of batch.networksGone) this.#networks.delete(name);
    for (const name of batch.volumesGone) this.#volumes.delete(name);
  }

  /** Throws `unavailable` while its record is not here yet, or while containers hold an older form of it. */
  network(name: string, signal: AbortSignal): Promise<void> {
    return this.#ensure("network", name, this.#networks.get(name), signal);
  }

  volume(name: string, signal: AbortSignal): Promise<void> {
    return this.#ensure("volume", name, this.#volumes.get(name), signal);
  }

  #take<T extends NetworkRecord | VolumeRecord>(kind: Kind, name: string, records: Map<string, T>, record: T): void {
    records.set(name, record);
    // A removal that fails is reported, and tried again by the next `down`.
    if (record.removing) void this.#queue(kind, name, () => this.#remove(kind, name, record)).catch(() => undefined);
  }

  async #ensure(kind: Kind, name: string, record: NetworkRecord | VolumeRecord | undefined, signal: AbortSignal) {
    if (!record || record.removing) {
      throw new BerthError("unavailable", `${kind} ${name}: the server has not said yet what it is to be`);
    }
    if (this.#ready.get(`${kind} ${name}`) === record.hash) return;
    await this.#queue(kind, name, async () => {
      if (this.#ready.get(`${kind} ${name}`) === record.hash) return;
      signal.throwIfAborted();
      const found = await this.#find(kind, name);
      const outdated = found !== undefined && this.#isOutdated(kind, record, found);
      if (outdated) await this.#delete(kind, name);
      if (!found || outdated) await this.#create(kind, record);
      this.#ready.set(`${kind} ${name}`, record.hash);
      await this.#report(kind, name, { state: "present", hash: record.hash, message: "" });
    });
  }

  /** What Berth did not make is taken as it is. A volume is only ever made anew where its owner agreed to lose that one's data. */
  #isOutdated(kind: Kind, record: NetworkRecord | VolumeRecord, found: Found): boolean {
    if (!found.own || found.hash === record.hash) return false;
    return kind === "network" || ("replaces" in record && found.hash !== undefined && record.replaces === found.hash);
  }

  async #find(kind: Kind, name: string): Promise<Found | undefined> {
    try {
      const { labels } = await (kind === "network" ? this.#engine.networks.get(name) : this.#engine.volumes.get(name));
      return { hash: labels[hashLabel], own: labels[appLabel] !== undefined };
    } catch (thrown) {
      if (isCode(thrown, "not_found")) return undefined;
      throw thrown;
    }
  }

  async #create(kind: Kind, record: NetworkRecord | VolumeRecord): Promise<void> {
    try {
      if (kind === "network") await this.#engine.networks.create((record as NetworkRecord).spec);
      else await this.#engine.volumes.create((record as VolumeRecord).spec);
    } catch (thrown) {
      if (!isCode(thrown, "already_exists")) throw thrown;
    }
  }

  async #delete(kind: Kind, name: string): Promise<void> {
    try {
      if (kind === "network") await this.#engine.networks.remove(name);
      else await this.#engine.volumes.remove(name);
    } catch (thrown) {
      if (isCode(thrown, "not_found")) return;
      if (!isCode(thrown, "in_use")) throw thrown;
      throw new BerthError("unavailable", `${kind} ${name} is to be made anew: ${asBerthError(thrown).message}`, {
        cause: thrown,
      });
    }
  }

  async #remove(kind: Kind, name: string, record: NetworkRecord | VolumeRecord): Promise<void> {
    const records: ReadonlyMap<string, NetworkRecord | VolumeRecord> =
      kind === "network" ? this.#networks : this.#volumes;
    if (records.get(name) !== record) return;
    this.#ready.delete(`${kind} ${name}`);
    const found = await this.#find(kind, name);
    try {
      if (found?.own) await this.#delete(kind, name);
      await this.#report(kind, name, { state: "removed", hash: record.hash, message: "" });
    } catch (thrown) {
      this.#signal.throwIfAborted();
      await this.#report(kind, name, { state: "failed", hash: record.hash, message: asBerthError(thrown).message });
    }
  }

  #report(kind: Kind, name: string, status: Omit<ResourceStatus, "at_ms">): Promise<void> {
    const full = { ...status, at_ms: this.#clock.now_ms() };
    return kind === "network" ? this.#reporter.network(name, full) : this.#reporter.volume(name, full);
  }

  #queue<T>(kind: Kind, name: string, work: () => Promise<T>): Promise<T> {
    const key = `${kind} ${name}`;
    const next = (this.#queues.get(key) ?? Promise.resolve()).then(work, work);
    const settled = next
      .catch(() => undefined)
      .then(() => {
        if (this.#queues.get(key) === settled) this.#queues.delete(key);
      });
    this.#queues.set(key, settled);
    return next;
  }
}
