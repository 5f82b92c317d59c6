import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Lock, Locks } from "../../ports/locks.ts";
import { readJson, writeJson } from "./json-file.ts";
import type { NameTable } from "./name-table.ts";
import type { Paths } from "./paths.ts";
import { type ContainerConfig, freshState, type StoredState } from "./record.ts";

const idPattern = /^[0-9a-f]{64}$/;

/** The containers of one root, as they are on disk. */
export class ContainerStore {
  readonly paths: Paths;
  readonly names: NameTable;
  readonly #locks: Locks;

  constructor(paths: Paths, names: NameTable, locks: Locks) {
    this.paths = paths;
    this.names = names;
    this.#locks = locks;
  }

  /** Ids, in no order. */
  ids(): string[] {
    try {
      return readdirSync(this.paths.containers).filter(name => idPattern.test(name));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw thrown;
    }
  }

  exists(id: string): boolean {
    return idPattern.test(id) && existsSync(this.paths.container(id));
  }

  /** By id, name or unambiguous start of an id. Throws `not_found`, or `invalid` when several begin so. */
  find(reference: string): string {
    const bare = reference.replace(/^\//, "");
    if (this.exists(bare)) return bare;
    const named = this.names.holder(bare);
    if (named !== undefined && this.exists(named)) return named;
    const starting = /^[0-9a-f]{1,64}$/.test(bare) ? this.ids().filter(id => id.startsWith(bare)) : [];
    if (starting.length === 1) return starting[0]!;
    if (starting.length > 1) {
      throw new BerthError("invalid", `${starting.length} containers have ids that begin with ${bare}`, {
        hint: "type more of the id, or the name",
      });
    }
    throw noSuchContainer(reference);
  }

  config(id: string): ContainerConfig {
    const config = readJson<ContainerConfig>(`${this.paths.container(id)}/config.json`);
    if (config !== undefined) return config;
    if (!this.exists(id)) throw noSuchContainer(id);
    throw new BerthError("corrupt", `the record of container ${id} cannot be read`, {
      hint: "'berth system check --repair' removes what is left of it",
    });
  }

  /** Undefined where the container has gone, or its record is damaged. */
  tryConfig(id: string): ContainerConfig | undefined {
    return readJson<ContainerConfig>(`${this.paths.container(id)}/config.json`);
  }

  writeConfig(config: ContainerConfig): void {
    writeJson(`${this.paths.container(config.id)}/config.json`, config, { durable: true });
  }

  /** A lost state file (power loss) reads as that of a container that never ran. */
  state(id: string): StoredState {
    return readJson<StoredState>(`${this.paths.container(id)}/state.json`) ?? freshState;
  }

  writeState(id: string, state: StoredState): void {
    writeJson(`${this.paths.container(id)}/state.json`, state);
  }

  /** The lock under which everything about a container is changed. Throws `not_found` when it has been removed meanwhile. */
  async lock(id: string, { signal }: CallOptions = {}): Promise<Lock> {
    try {
      return await this.#locks.acquire(this.paths.lock(id), { signal });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") throw noSuchContainer(id);
      throw thrown;
    }
  }

  tryLock(id: string): Lock | undefined {
    try {
      return this.#locks.tryAcquire(this.paths.lock(id));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw thrown;
    }
  }

  makeDirectories(): void {
    const { containers, creating, removing, names, linking, bundles, execIndex, events } = this.paths;
    for (const path of [containers, creating, removing, names, linking, bundles, execIndex, events]) {
      mkdirSync(path, { recursive: true, mode: 0o711 });
    }
  }
}

export function noSuchContainer(reference: string): BerthError {
  return new BerthError("not_found", `No such container: ${reference}`, { hint: "'berth ps -a' lists all containers" });
}
