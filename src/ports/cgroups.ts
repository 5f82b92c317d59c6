import type { CallOptions } from "./content.ts";
import type { ContainerStats } from "./engine.ts";

/** What the kernel counts for a control group; networks are counted elsewhere. */
export type CgroupStats = Omit<ContainerStats, "read" | "networks">;

/** Control groups, version 1 or 2. Paths are those of the OCI specification's `linux.cgroupsPath`, e.g. /berth/<id>. */
export interface Cgroups {
  /** Throws `not_found` once the group is gone. */
  stats(path: string): Promise<CgroupStats>;
  /** Host pids of everything in the group and below, ascending. Empty when it is gone. */
  processes(path: string): Promise<number[]>;
  exists(path: string): boolean;
  /** Names of the groups directly below, in any hierarchy: for leak checks. */
  children(path: string): Promise<string[]>;
  /** Removes the group and all below it in every hierarchy; idempotent. Throws `in_use` while processes are left. */
  remove(path: string, options?: CallOptions): Promise<void>;
  /** Kills everything in the group at once and waits until it is empty. */
  killAll(path: string, options?: CallOptions): Promise<void>;
}
