import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { PublishedPort } from "../../model/container.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Locks } from "../../ports/locks.ts";
import { claim, claimant, namesIn, readJson, recordsIn, removeFile, unclaim, writeJson } from "../linux/state-files.ts";
import type { PortRule } from "./rules.ts";

export interface PortRecord {
  containerId: string;
  containerName: string;
  ports: PublishedPort[];
  rules: PortRule[];
  /** Ends in bridges that frames may leave by which they came. */
  hostInterfaces: string[];
}

/** A published port that somebody on this machine holds. */
export interface HeldPort extends PublishedPort {
  owner: string;
}

/**
 * Who has published what: `<state>/ports/<container id>.json`, and for all instances on the machine a link `<host wide>/ports/<protocol>-<port>-<address>` to
 * that record. A link whose record is gone holds nothing.
 */
export class PortFiles {
  readonly #records: string;
  readonly #claims: string;
  readonly #locks: Locks;

  constructor(stateDirectory: string, hostWideDirectory: string, locks: Locks) {
    this.#records = join(stateDirectory, "ports");
    this.#claims = join(hostWideDirectory, "ports");
    this.#locks = locks;
  }

  /** One process on the machine at a time chooses ports. */
  lock(options: CallOptions = {}) {
    mkdirSync(this.#claims, { recursive: true, mode: 0o700 });
    return this.#locks.acquire(join(this.#claims, ".lock"), options);
  }

  read(containerId: string): PortRecord | undefined {
    return readJson(this.#path(containerId));
  }

  all(): PortRecord[] {
    return recordsIn<PortRecord>(this.#records).map(({ record }) => record);
  }

  /** Record first, then claims. Replaces what the container held. Needs the lock. */
  write(record: PortRecord): void {
    const before = this.read(record.containerId)?.ports ?? [];
    const path = this.#path(record.containerId);
    writeJson(path, record);
    for (const port of before) unclaim(this.#claimPath(port, record.containerId), path);
    for (const port of record.ports) {
      const claimPath = this.#claimPath(port, record.containerId);
      const stale = claimant(claimPath);
      if (stale !== undefined && stale !== path) unclaim(claimPath, stale);
      claim(claimPath, path);
    }
  }

  remove(containerId: string): void {
    const path = this.#path(containerId);
    const record = readJson<PortRecord>(path);
    if (record === undefined) return;
    removeFile(path);
    for (const port of record.ports) unclaim(this.#claimPath(port, record.containerId), path);
  }

  /** Ports held by anybody but `containerId` of this instance. */
  held(containerId: string): HeldPort[] {
    const own = this.#path(containerId);
    return namesIn(this.#claims).flatMap(name => {
      const match = /^(tcp|udp)-(\d+)-([^+]+)/.exec(name);
      const owner = match === null ? undefined : claimant(join(this.#claims, name));
      if (match === null || owner === undefined || owner === own) return [];
      const record = readJson<PortRecord>(owner);
      if (record === undefined) return [];
      const [, protocol, hostPort, hostAddress] = match;
      return [
        {
          protocol: protocol === "tcp" ? "tcp" : "udp",
          hostPort: Number(hostPort),
          hostAddress: hostAddress!,
          containerPort: 0,
          shared: record.ports.find(port => this.#claimPath(port, record.containerId).endsWith(`/${name}`))?.shared,
          owner: record.containerName,
        },
      ];
    });
  }

  /** Claims of this instance whose record is gone or does not have them. */
  staleClaims(): { path: string; owner: string }[] {
    return namesIn(this.#claims).flatMap(name => {
      const path = join(this.#claims, name);
      const owner = name === ".lock" ? undefined : claimant(path);
      if (owner === undefined || !owner.startsWith(`${this.#records}/`)) return [];
      const record = readJson<PortRecord>(owner);
      return record?.ports.some(port => this.#claimPath(port, record.containerId) === path) ? [] : [{ path, owner }];
    });
  }

  #path(containerId: string): string {
    return join(this.#records, `${containerId}.json`);
  }

  /** Those who share a port have a claim each. */
  #claimPath({ protocol, hostPort, hostAddress, shared }: PublishedPort, containerId: string): string {
    return join(this.#claims, `${protocol}-${hostPort}-${hostAddress}${shared === undefined ? "" : `+${containerId}`}`);
  }
}
